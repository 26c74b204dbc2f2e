//! A policy with the connect hook alone.

use gatepost_sdk::*;

/// The policy.
pub struct Greets;

impl Policy for Greets {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn connect(&self, _: &Session, _: &dyn Facts, decision: &mut Decision) -> Verdict {
        decision.reason("greeted");
        Verdict::Pass
    }
}

gatepost_sdk::export!(Greets: connect);
