//! Suppression lists: what the outcome of an attempt says of the recipient's address.

use gatepost_model::{Flow, Suppression, SuppressionCause, SuppressionChange};
use gatepost_smtp::RecipientFailure;
use gatepost_smtp::client::Stage;
use gatepost_spool::AttemptOutcome;

use super::{AttemptReply, SettledRecipient};
use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;

/// Returns the change to the suppression list of the account that submitted the message.
///
/// A message counts once, when it is delivered or given up: a mailbox that is full for an hour has
/// refused one message, however often it was tried. Only the reply of a server to RCPT counts; a
/// policy of ours, a connection that waits and a refused message say nothing of the recipient.
pub(super) fn change(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    settled: &SettledRecipient,
) -> Option<SuppressionChange> {
    let rules = delivery.settings.suppressing;
    let transaction = &in_hand.claim.transaction;
    let account = transaction.account.as_ref();
    let submitted = transaction.session.flow == Flow::Submission;
    let account = account.filter(|_| submitted && rules.record)?.clone();
    let address = Suppression::key(&in_hand.recipient(settled.attempt.index).address);
    let reply = match (&settled.outcome, &settled.attempt.reply) {
        (AttemptOutcome::Delivered { .. }, _) => {
            return Some(SuppressionChange::Delivered { account, address });
        }
        (AttemptOutcome::Failed { .. }, AttemptReply::FromServer(reply, Stage::Recipient)) => reply,
        _ => return None,
    };
    let entry = |cause| Suppression {
        account,
        address,
        cause,
        evidence: reply.to_string(),
        at: delivery.now(),
        by: Some(transaction.id),
        count: 1,
    };
    match RecipientFailure::of_reply(reply)? {
        RecipientFailure::Hard => Some(SuppressionChange::Suppress(entry(
            SuppressionCause::HardBounce,
        ))),
        RecipientFailure::Soft => (rules.soft_failures > 0).then(|| SuppressionChange::Count {
            entry: entry(SuppressionCause::Counting),
            limit: rules.soft_failures,
            since: delivery.now() - rules.soft_within,
        }),
    }
}
