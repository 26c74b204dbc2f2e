//! Refuses the recipients in the header X-Refuse.

use gatepost_sdk::*;

/// The policy.
pub struct RefusesSome;

impl Policy for RefusesSome {
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
        let named = message.header("X-Refuse").unwrap_or_default();
        for recipient in &transaction.recipients {
            if named.contains(recipient.as_str()) {
                let reply = Reply::new(550, "5.7.1", "Not to this recipient");
                decision.judge_recipient(recipient, RecipientVerdict::Reject(reply));
            }
        }
        Verdict::Pass
    }
}

gatepost_sdk::export!(RefusesSome: message);
