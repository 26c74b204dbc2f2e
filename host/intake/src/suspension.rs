//! Queued mail that the directory holds: what holds it, and its release.
//!
//! A claimed message is held if its account is suspended or on hold, or if its sender was
//! disconnected after it was accepted. It is held with a reply of the relay's own, by which it is
//! told from what an operator or a policy holds, and released when what held it is over.

use gatepost_directory::View;
use gatepost_message::{Message, Millis, TransactionId};
use gatepost_model::{Flow, Transaction};
use gatepost_smtp::Reply;
use gatepost_spool::{Filter, QueueAdmin, RecipientState, Selection, SpoolError, Summary};
use gatepost_trace::{Event, Kind, Trace};

use crate::disconnection::DisconnectedSender;

/// Number of messages that are looked at together.
const PAGE: usize = 100;

/// Returns the reply with which a message is held, which was accepted at that time. Mail that comes
/// in for the account goes on.
pub fn held(
    directory: &View,
    transaction: &Transaction,
    (message, accepted): (&Message, Millis),
) -> Option<Reply> {
    let account = transaction.account.as_deref()?;
    if transaction.session.flow != Flow::Submission {
        return None;
    }
    of_account(directory, account).or_else(|| {
        let sender = DisconnectedSender::of(directory, transaction, message)?;
        sender.holds(accepted).then(disconnected)
    })
}

/// Returns the reply with which all submitted mail of an account is held.
fn of_account(directory: &View, account: &str) -> Option<Reply> {
    if directory.suspension(account).is_some() {
        return Some(suspended());
    }
    // It goes no further: it is about to be removed.
    let id = account.parse().ok();
    if id.is_some_and(|id| directory.is_being_erased(id)) {
        return Some(on_hold());
    }
    directory.hold(account).map(|_| on_hold())
}

fn suspended() -> Reply {
    Reply::new(450, "4.7.13", "the account is suspended")
}

fn on_hold() -> Reply {
    Reply::new(450, "4.7.1", "outgoing mail of the account is on hold")
}

fn disconnected() -> Reply {
    Reply::new(
        450,
        "4.7.1",
        "the sender was disconnected after it was queued",
    )
}

/// Returns true if the directory holds a message, or holds a recipient of it.
fn is_held(message: &Summary) -> bool {
    let replies = [suspended(), on_hold(), disconnected()];
    message.recipients.iter().any(|recipient| {
        recipient.state == RecipientState::Held
            && recipient.last_server.is_none()
            && (recipient.last_reply.as_ref()).is_some_and(|reply| replies.contains(reply))
    })
}

/// Returns true if nothing holds a message any more that a list of the queue tells of. Its authors
/// are not known there: one of them may hold it again at its next attempt.
fn is_free(directory: &View, message: &Summary) -> bool {
    let Some(account) = message.account.as_deref() else {
        return false;
    };
    let disconnected = || {
        let sender = message.reverse_path.address()?;
        let disconnection = directory.disconnection(account.parse().ok()?, sender)?;
        let address = sender.clone();
        Some(DisconnectedSender {
            address,
            disconnection,
        })
    };
    of_account(directory, account).is_none()
        && disconnected().is_none_or(|sender| !sender.holds(message.received_at))
}

/// Releases what the directory holds no longer, of one account or of all. Returns the number of
/// messages.
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
        let goes_on = |message: &&Summary| is_held(message) && is_free(directory, message);
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
