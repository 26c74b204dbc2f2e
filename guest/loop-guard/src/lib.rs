//! Loop
use gatepost_sdk::*;

/// S
#[derive(serde::Deserialize, schemars::JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// a
    pub x: u32,
}
/// L
pub struct LoopGuard(Settings);
impl Policy for LoopGuard {
    type Settings = Settings;
    fn new(settings: Settings) -> Result<Self, Vec<String>> { Ok(Self(settings)) }
    fn message(&self, _: &Transaction, message: &dyn Message, _: &dyn Facts, decision: &mut Decision) -> Verdict {
        if message.count("Received") > self.0.x { decision.reason("loop"); return Verdict::reject(554, "5.4.6", "loop"); }
        Verdict::Pass
    }
}
gatepost_sdk::export!(LoopGuard: message);
