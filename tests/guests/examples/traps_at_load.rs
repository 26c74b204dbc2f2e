//! Fails its probe: it panics on every message.

use gatepost_sdk::*;

/// The policy.
pub struct TrapsAtLoad;

impl Policy for TrapsAtLoad {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn message(
        &self,
        _: &Transaction,
        _: &dyn Message,
        _: &dyn Facts,
        _: &mut Decision,
    ) -> Verdict {
        panic!("on every message")
    }
}

gatepost_sdk::export!(TrapsAtLoad: message);
