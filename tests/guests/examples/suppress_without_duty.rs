//! Suppresses recipients without having declared that duty.

use gatepost_sdk::*;

/// The policy.
pub struct Suppresses;

impl Policy for Suppresses {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        if hostile_guests::attacked(message) {
            for recipient in &transaction.recipients {
                decision.judge_recipient(recipient, RecipientVerdict::Suppress("hush".into()));
            }
        }
        Verdict::Pass
    }
}

gatepost_sdk::export!(Suppresses: message);
