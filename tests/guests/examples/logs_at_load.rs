//! Panics while it is configured, with a control character in its message.

use gatepost_sdk::*;

/// The policy.
pub struct LogsAtLoad;

impl Policy for LogsAtLoad {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        panic!("out of \u{1b}[31mred ink")
    }

    fn message(
        &self,
        _: &Transaction,
        _: &dyn Message,
        _: &dyn Facts,
        _: &mut Decision,
    ) -> Verdict {
        Verdict::Pass
    }
}

gatepost_sdk::export!(LogsAtLoad: message);
