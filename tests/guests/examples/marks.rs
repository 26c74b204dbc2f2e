//! Well behaved: writes its version into every message, and marks what it has seen. The version is
//! a setting, so that a swap shows.

use gatepost_sdk::*;

/// Settings with the version.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Version to write.
    version: String,
}

/// The policy.
pub struct Marks {
    version: String,
    calls: std::cell::Cell<u32>,
}

impl Policy for Marks {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        Ok(Self {
            version: settings.version,
            calls: std::cell::Cell::new(0),
        })
    }

    fn message(
        &self,
        _: &Transaction,
        message: &dyn Message,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        self.calls.set(self.calls.get() + 1);
        decision.reason(format!("call {} of this instance", self.calls.get()));
        decision.add_header("X-Marked-By", &self.version);
        if let Some(id) = message.header("Message-ID") {
            if facts.seen(&id) {
                decision.tag("seen-before");
            }
            decision.mark_seen(id, 3600);
            decision.count("messages", 1);
        }
        Verdict::Pass
    }
}

gatepost_sdk::export!(Marks: message);
