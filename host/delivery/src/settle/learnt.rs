//! Message-IDs that a service has given a message, as its reply tells.

use gatepost_model::{Flow, LearntId};
use gatepost_spool::AttemptOutcome;

use super::SettledRecipient;
use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::references::message_id;

/// Returns the ids to remember for the account that submitted the message.
pub(super) fn ids(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    settled: &SettledRecipient,
) -> Vec<LearntId> {
    let transaction = &in_hand.claim.transaction;
    let delivered = matches!(settled.outcome, AttemptOutcome::Delivered { .. });
    let submitted = transaction.session.flow == Flow::Submission;
    let given = settled.attempt.given_ids.iter();
    let (true, true, Some(account)) = (delivered, submitted, &transaction.account) else {
        return Vec::new();
    };
    let Some(ours) = message_id(&in_hand.claim.message).filter(|_| given.len() > 0) else {
        return Vec::new();
    };
    let learnt = given
        .filter(|theirs| **theirs != ours)
        .map(|theirs| LearntId {
            account: account.clone(),
            ours: ours.clone(),
            theirs: theirs.clone(),
            at: delivery.now(),
        });
    learnt.collect()
}
