//! Refusal of recipients to which their account sends nothing any more.
//!
//! At RCPT nothing is known of the message. So an address on the list is refused for all mail that
//! an account submits, a person's too: nobody believes that mail has gone which has not.

use gatepost_message::{Address, Millis};
use gatepost_model::{Event, EventKind, Flow, Suppression, SuppressionCause, Transaction};
use gatepost_smtp::Reply;

use super::{Pipeline, with_id};

/// Octets of the evidence that stand in the reply.
const EVIDENCE: usize = 160;

/// Returns the reply that refuses a recipient of a submission because it is on the suppression
/// list, and tells the account. An address that is not on it costs no access to the disk.
pub(super) async fn refusal(
    pipeline: &Pipeline,
    transaction: &Transaction,
    address: &Address,
) -> Option<Reply> {
    if transaction.session.flow != Flow::Submission {
        return None;
    }
    let account = transaction.account.as_deref()?;
    let found = pipeline
        .suppressions
        .find(account, &Suppression::key(address));
    let found = found.await.unwrap_or_else(|error| {
        // To send once too often does less harm than to refuse what people write.
        tracing::error!(%error, "the suppression list cannot be read");
        None
    })?;
    metrics::counter!("gatepost_suppressed_recipients_total").increment(1);
    let reply = reply(address, &found);
    tell(pipeline, transaction, address, &reply).await;
    Some(reply)
}

/// Returns the reply to RCPT of an address on the list, which says why and since when.
pub fn reply(address: &Address, entry: &Suppression) -> Reply {
    let cause = match entry.cause {
        SuppressionCause::HardBounce => "its server says that there is no such mailbox",
        SuppressionCause::SoftBounces => "its server has refused mail too often",
        SuppressionCause::Complaint => "the recipient has complained of mail",
        SuppressionCause::Operator => "it was put there by hand",
        SuppressionCause::Import => "it was imported",
        SuppressionCause::Counting => "mail to it has failed",
    };
    let evidence = &entry.evidence[..entry.evidence.floor_char_boundary(EVIDENCE)];
    let evidence = match evidence.is_empty() {
        true => String::new(),
        false => format!(": {evidence}"),
    };
    // RFC 3463: X.7.1, delivery not authorized.
    Reply::new(
        550,
        "5.7.1",
        format!(
            "<{address}> is on the suppression list since {}, because {cause}{evidence}",
            entry.at
        ),
    )
}

/// Stores the event. The client has the reply, whatever becomes of it.
async fn tell(pipeline: &Pipeline, transaction: &Transaction, address: &Address, reply: &Reply) {
    let event = Event {
        account: transaction.account.clone(),
        address: transaction.reverse_path.address().cloned(),
        transaction: Some(transaction.id),
        message_id: None,
        recipient: Some(address.clone()),
        metadata: None,
        at: Millis::now(),
        kind: EventKind::Refused {
            reply: with_id(reply.clone(), transaction.id),
        },
    };
    if let Err(error) = pipeline.events.append(vec![event]).await {
        tracing::error!(%error, "the event of a suppressed recipient was not stored");
    }
}
