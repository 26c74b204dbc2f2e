//! Panics in the hook that its settings name, on listeners whose name begins with that of the hook;
//! early hooks have no message whose header could say so.

use gatepost_sdk::*;

/// Settings with the hook.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Name of a hook; any other word for none.
    hook: String,
}

/// The policy.
pub struct TrapsIn(Settings);

impl TrapsIn {
    fn called(&self, hook: &str, session: &Session) {
        assert!(
            hook != self.0.hook || !session.listener.starts_with(hook),
            "on purpose"
        );
    }
}

impl Policy for TrapsIn {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        Ok(Self(settings))
    }

    fn connect(&self, session: &Session, _: &dyn Facts, _: &mut Decision) -> Verdict {
        self.called("connect", session);
        Verdict::Pass
    }

    fn sender(&self, of: &Transaction, _: &dyn Facts, _: &mut Decision) -> Verdict {
        self.called("sender", &of.session);
        Verdict::Pass
    }

    fn recipient(&self, of: &Transaction, _: &str, _: &dyn Facts, _: &mut Decision) -> Verdict {
        self.called("recipient", &of.session);
        Verdict::Pass
    }

    fn message(
        &self,
        of: &Transaction,
        _: &dyn Message,
        _: &dyn Facts,
        _: &mut Decision,
    ) -> Verdict {
        self.called("message", &of.session);
        Verdict::Pass
    }

    fn route(&self, of: &Transaction, _: &Attempt, _: &dyn Facts, _: &mut Decision) -> Routing {
        self.called("route", &of.session);
        Routing::Pass
    }

    fn outcome(&self, of: &Transaction, _: &AttemptResult, _: &dyn Facts, _: &mut Decision) {
        self.called("outcome", &of.session);
    }
}

gatepost_sdk::export!(TrapsIn: connect, sender, recipient, message, route, outcome);
