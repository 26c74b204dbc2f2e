//! Panics on any settings of the account: such settings break a policy for that account only.

use gatepost_sdk::*;

/// The policy.
pub struct TrapsForAccount;

impl Policy for TrapsForAccount {
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
        let settings = settings_of_account::<serde_json::Value>();
        assert!(matches!(settings, Ok(None)), "on purpose");
        Verdict::Pass
    }
}

gatepost_sdk::export!(TrapsForAccount: message);
