//! Queued mail of suspended accounts: what holds it, and its release.
//!
//! A claimed message whose account is suspended is held with a reply of the relay's own, by which
//! it is told from what an operator or a policy holds. It is released when the account is resumed.

use gatepost_directory::View;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Flow, Transaction};
use gatepost_smtp::Reply;
use gatepost_spool::{Filter, QueueAdmin, RecipientState, Selection, SpoolError, Summary};
use gatepost_trace::{Event, Kind, Trace};

/// Number of messages that are looked at together.
const PAGE: usize = 100;

/// Returns the reply with which a message is held, if its account is suspended. Mail that comes in
/// for the account goes on.
pub fn held(directory: &View, transaction: &Transaction) -> Option<Reply> {
    let account = transaction.account.as_deref()?;
    let submitted = transaction.session.flow == Flow::Submission;
    (submitted && directory.suspension(account).is_some()).then(reply)
}

/// Reply with which it is held.
fn reply() -> Reply {
    Reply::new(450, "4.7.13", "the account is suspended")
}

/// Returns true if a suspension holds a message, or holds a recipient of it.
fn is_held(message: &Summary) -> bool {
    message.recipients.iter().any(|recipient| {
        recipient.state == RecipientState::Held
            && recipient.last_server.is_none()
            && recipient.last_reply == Some(reply())
    })
}

/// Releases what suspensions hold, of one account or of all: the mail of accounts that are
/// suspended no longer. Returns the number of messages.
///
/// # Errors
/// The queue cannot be read or changed.
pub async fn release(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    directory: &View,
    account: Option<&str>,
) -> Result<u64, SpoolError> {
    let mut released = 0;
    let mut after = None;
    loop {
        let page = queue.list(Filter {
            selection: Selection {
                account: account.map(str::to_owned),
                ..Selection::default()
            },
            status: Some(gatepost_spool::Status::Held),
            after,
            limit: PAGE,
        });
        let page = page.await?;
        let Some(last) = page.last() else {
            return Ok(released);
        };
        after = Some(last.id);
        let goes_on = |message: &&Summary| {
            let account = message.account.as_deref();
            is_held(message) && account.is_some_and(|of| directory.suspension(of).is_none())
        };
        // All of a page are started before the first is awaited.
        let started: Vec<_> = (page.iter().filter(goes_on))
            .map(|message| (message.id, release_one(queue, message.id)))
            .collect();
        for (id, ticket) in started {
            if ticket.await?.changed > 0 {
                trace.record(Event::now(id, Kind::Released));
                released += 1;
            }
        }
    }
}

/// Starts the release of one message.
pub fn release_one(
    queue: &dyn QueueAdmin,
    id: TransactionId,
) -> gatepost_spool::Ticket<gatepost_spool::Changed> {
    queue.release(Selection::message(id), Millis::now())
}
