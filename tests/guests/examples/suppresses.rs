//! Suppresses the recipients in the header X-Suppress, having declared that duty.

use gatepost_sdk::*;

/// The policy.
pub struct Suppresses;

impl Policy for Suppresses {
    type Settings = hostile_guests::NoSettings;

    fn new(_: Self::Settings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn duties() -> Duties {
        Duties {
            suppresses: true,
            ..Duties::default()
        }
    }

    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let named = message.header("X-Suppress").unwrap_or_default();
        for recipient in &transaction.recipients {
            if named.contains(recipient.as_str()) {
                let verdict = RecipientVerdict::Suppress("the message says so".into());
                decision.judge_recipient(recipient, verdict);
            }
        }
        Verdict::Pass
    }
}

gatepost_sdk::export!(Suppresses: message);
