//! Queue: its messages are listed and shown, their recipients retried, cancelled, held and
//! released.

use std::collections::BTreeSet;
use std::convert::Infallible;

use clap::Args;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::DestinationKey;
use gatepost_spool::{
    Changed, DestinationSummary, Filter, Pace, QueueAdmin, Recipient, RecipientState, Selection,
    Status, Summary, Ticket,
};
use gatepost_trace::{Event, Kind, Trace};
use serde::{Deserialize, Serialize};

use crate::caused;
use crate::code::Code;
use crate::error::OperationError;
use crate::message::{DestinationReply, MessageDetails, PAGE, WaitingRecipient};
use crate::runtime::{ClosingReply, Reopen};

/// Number of messages whose changes are started together and share commits.
const TOGETHER: usize = 500;

/// Most characters of a destination's reply in a reason.
const LONGEST_REPLY: usize = 300;

/// Request for a page of the queue, oldest message first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListQueue {
    /// Only messages of this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Only messages to this address, or to this domain.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    pub recipient: Option<String>,
    /// Only messages that wait for this destination.
    #[arg(long, value_parser = parse_destination)]
    pub destination: Option<DestinationKey>,
    /// Only messages that came after this one.
    #[arg(long, value_name = "ID")]
    pub after: Option<TransactionId>,
    /// Maximum number of messages.
    #[arg(long, value_name = "NUMBER", default_value_t = PAGE)]
    pub limit: usize,
    /// Only messages with a recipient in this state.
    #[arg(long, value_parser = parse_status)]
    pub status: Option<Status>,
    /// Messages that have left the queue and are kept because a recipient failed.
    #[arg(long)]
    pub failed: bool,
    /// Only messages with a recipient whose last reply has this text, such as 4.7.1.
    #[arg(long, value_name = "TEXT")]
    pub cause: Option<String>,
}

impl Default for ListQueue {
    /// Asks for the first hundred messages.
    fn default() -> Self {
        Self {
            account: None,
            recipient: None,
            destination: None,
            after: None,
            limit: PAGE,
            status: None,
            failed: false,
            cause: None,
        }
    }
}

impl From<ListQueue> for Filter {
    fn from(asked: ListQueue) -> Self {
        Self {
            selection: Selection {
                account: asked.account,
                recipient: asked.recipient,
                destination: asked.destination,
                ..Selection::default()
            },
            status: asked.status,
            after: asked.after,
            limit: asked.limit,
        }
    }
}

/// Request for the destinations of the queue, those with most recipients first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListDestinations {
    /// Maximum number of destinations.
    #[arg(long, value_name = "NUMBER", default_value_t = PAGE)]
    pub limit: usize,
}

impl Default for ListDestinations {
    /// Asks for the first hundred destinations.
    fn default() -> Self {
        Self { limit: PAGE }
    }
}

/// Request for the details of a message in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowQueued {
    /// Transaction id of the message.
    pub id: TransactionId,
}

/// Recipients that a request is for. Each criterion restricts them; `all` stands for none.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
#[group(required = true, multiple = true)]
pub struct SelectedRecipients {
    /// Transaction ids of messages.
    #[arg(value_name = "ID")]
    pub ids: Vec<TransactionId>,
    /// Recipients of messages of this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Recipients with this address, or in this domain.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    pub recipient: Option<String>,
    /// Recipients whose route leads to this destination.
    #[arg(long, value_parser = parse_destination)]
    pub destination: Option<DestinationKey>,
    /// All recipients.
    #[arg(long, conflicts_with_all = ["ids", "account", "recipient", "destination"])]
    pub all: bool,
}

/// Request to attempt delivery at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(transparent)]
pub struct RetryRecipients {
    /// Recipients to attempt.
    #[command(flatten)]
    pub recipients: SelectedRecipients,
}

/// Request to end delivery without an attempt and without a bounce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(transparent)]
pub struct CancelRecipients {
    /// Recipients to cancel.
    #[command(flatten)]
    pub recipients: SelectedRecipients,
}

/// Request to stop attempts until they are released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(transparent)]
pub struct HoldRecipients {
    /// Recipients to hold.
    #[command(flatten)]
    pub recipients: SelectedRecipients,
}

/// Request to release held recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ReleaseRecipients {
    /// Recipients to release.
    #[command(flatten)]
    pub recipients: SelectedRecipients,
}

/// Request to send a message again to recipients that have failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResendMessage {
    /// Transaction id of the message.
    pub id: TransactionId,
    /// Only to this address, or to the addresses in this domain.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    #[serde(default)]
    pub recipient: Option<String>,
}

fn parse_destination(text: &str) -> Result<DestinationKey, Infallible> {
    Ok(DestinationKey::new(text))
}

fn parse_status(word: &str) -> Result<Status, String> {
    let words = || Status::ALL.map(Status::word).join(", ");
    Status::ALL
        .into_iter()
        .find(|status| status.word() == word)
        .ok_or_else(|| format!("a state is one of {}", words()))
}

/// Lists messages of the queue, in order of arrival.
///
/// # Errors
/// The store cannot be read.
pub async fn list(
    queue: &dyn QueueAdmin,
    asked: ListQueue,
) -> Result<Vec<Summary>, OperationError> {
    let (failed, cause) = (asked.failed, asked.cause.clone());
    let page = |filter| match failed {
        true => queue.kept_list(filter),
        false => queue.list(filter),
    };
    match cause {
        None => Ok(page(asked.into()).await?),
        Some(cause) => caused::list(asked.into(), &cause, last_replies, page).await,
    }
}

/// Returns the last replies of recipients that are not finished well.
fn last_replies(message: &Summary) -> Vec<String> {
    let waiting = message.recipients.iter();
    let waiting = waiting.filter(|to| to.state.status() != Status::Delivered);
    let replies = waiting.filter_map(|to| to.last_reply.as_ref());
    replies.map(ToString::to_string).collect()
}

/// Lists destinations of the queue, those with most recipients first.
///
/// # Errors
/// The store cannot be read.
pub async fn destinations(
    queue: &dyn QueueAdmin,
    asked: ListDestinations,
) -> Result<Vec<DestinationSummary>, OperationError> {
    Ok(queue.destinations(asked.limit).await?)
}

/// Shows one message of the queue, and why each of its queued recipients waits: at a closed
/// destination, the reply that closed it.
///
/// # Errors
/// The queue has no such message, or the store cannot be read.
pub async fn show(
    queue: &dyn QueueAdmin,
    closed_by: Option<&ClosingReply>,
    asked: ShowQueued,
) -> Result<MessageDetails, OperationError> {
    let queued = match queue.show(asked.id).await? {
        None => queue.kept_show(asked.id).await?,
        queued => queued,
    };
    match queued {
        Some(record) => {
            let mut details = MessageDetails::from(record);
            let recipients = details.summary.recipients.iter();
            let now = Millis::now();
            let waiting = recipients.filter_map(|to| waiting(queue, closed_by, to, now));
            details.waiting = waiting.collect();
            Ok(details)
        }
        None => Err(unknown()),
    }
}

pub(crate) fn unknown() -> OperationError {
    let text = "there is no such message; `gatepost trace ID` says what became of it";
    OperationError::new(Code::NotQueued, text)
}

pub(crate) fn not_kept(id: TransactionId) -> OperationError {
    let text = format!("no failed recipient of message {id} is kept");
    OperationError::new(Code::NotKept, text)
}

/// Returns the reason why a recipient waits; `None` if it is not queued.
fn waiting(
    queue: &dyn QueueAdmin,
    closed_by: Option<&ClosingReply>,
    recipient: &Recipient,
    now: Millis,
) -> Option<WaitingRecipient> {
    let RecipientState::Queued { next_attempt } = recipient.state else {
        return None;
    };
    let later = next_attempt > now;
    let key = recipient
        .route
        .as_ref()
        .map(|route| route.destination.key());
    let closing = key.as_ref().and_then(|key| closed_by?(key));
    let mut reason = match key {
        None if later => format!("it is routed at {next_attempt}"),
        None => "it is not yet routed".to_owned(),
        Some(key) => match queue.pace(&key) {
            Pace { in_hand: 0, .. } => format!("{key} is stopped"),
            Pace { not_before, .. } if not_before > now.max(next_attempt) => {
                format!("{key} is closed until {not_before}")
            }
            _ if later => format!("its next attempt is at {next_attempt}"),
            _ => format!("it waits for its turn at {key}"),
        },
    };
    if let Some((at, reply)) = &closing {
        let words: String = reply.to_string().chars().take(LONGEST_REPLY).collect();
        reason += &format!("; at {at} that destination got {words}");
    }
    Some(WaitingRecipient {
        number: recipient.number,
        reason,
        destination_reply: closing.map(|(at, reply)| DestinationReply { at, reply }),
    })
}

/// Sends a message again to recipients that have failed: they are due now, as if they had never been
/// attempted, and the message has its whole time again.
///
/// # Errors
/// No failed recipient of such a message is kept, or the store cannot be changed.
pub async fn resend(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    asked: ResendMessage,
) -> Result<Changed, OperationError> {
    let ResendMessage { id, recipient } = asked;
    let selection = Selection {
        recipient,
        ..Selection::message(id)
    };
    let changed = queue.resend(selection, Millis::now()).await?;
    if changed.changed == 0 {
        return Err(not_kept(id));
    }
    trace.record(Event::now(id, Kind::Retried));
    Ok(changed)
}

/// Most messages of an account whose destinations are opened together.
const OPENED: usize = 1000;

/// Makes queued recipients due now, and opens closed destinations for a probe: the one that is
/// selected, those of the messages that are, or else all.
///
/// # Errors
/// No recipients are selected, or the store cannot be changed.
pub async fn retry(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    reopen: Option<&Reopen>,
    asked: RetryRecipients,
) -> Result<Changed, OperationError> {
    let now = Millis::now();
    let named = asked.recipients.clone();
    let retry = |selection| queue.retry(selection, now);
    let changed = change(queue, trace, asked.recipients, &Kind::Retried, retry).await?;
    open_for(queue, reopen, named, now).await?;
    Ok(changed)
}

/// Opens closed destinations for a probe: the one that is named, those of the messages that are, or
/// else all.
async fn open_for(
    queue: &dyn QueueAdmin,
    reopen: Option<&Reopen>,
    named: SelectedRecipients,
    now: Millis,
) -> Result<(), OperationError> {
    let Some(reopen) = reopen else {
        return Ok(());
    };
    let mut opened = BTreeSet::new();
    if named.account.is_some() && named.ids.is_empty() {
        // Of the whole site's destinations, those of the account's mail alone.
        let filter = Filter {
            selection: Selection {
                account: named.account,
                destination: named.destination,
                ..Selection::default()
            },
            limit: OPENED,
            ..Filter::default()
        };
        let recipients = queue.list(filter).await?.into_iter();
        let recipients = recipients.flat_map(|of| of.recipients);
        let routes = recipients.filter_map(|one| one.route);
        opened.extend(routes.map(|route| route.destination.key()));
    } else if let Some(destination) = named.destination {
        opened.insert(destination);
    } else if named.ids.is_empty() {
        let closed = queue.destinations(DESTINATIONS).await?.into_iter();
        let closed = closed.filter(|one| now < one.pace.not_before);
        opened.extend(closed.filter_map(|one| one.destination));
    } else {
        for id in named.ids {
            let record = queue.show(id).await?;
            let is_of = |of: &Option<String>| named.account.is_none() || *of == named.account;
            let record = record.filter(|record| is_of(&record.summary.account));
            let recipients = record.map(|record| record.summary.recipients);
            let routes = recipients.into_iter().flatten().filter_map(|one| one.route);
            opened.extend(routes.map(|route| route.destination.key()));
        }
    }
    opened.iter().for_each(|destination| reopen(destination));
    Ok(())
}

/// Most closed destinations that one request opens.
const DESTINATIONS: usize = 10_000;

/// Ends delivery to queued and held recipients without an attempt and without a bounce.
///
/// # Errors
/// As [`retry`].
pub async fn cancel(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    asked: CancelRecipients,
) -> Result<Changed, OperationError> {
    let now = Millis::now();
    let cancel = |selection| queue.cancel(selection, now);
    change(queue, trace, asked.recipients, &Kind::Cancelled, cancel).await
}

/// Stops attempts to queued recipients until they are released.
///
/// # Errors
/// As [`retry`].
pub async fn hold(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    asked: HoldRecipients,
) -> Result<Changed, OperationError> {
    let hold = |selection| queue.hold(selection);
    change(queue, trace, asked.recipients, &Kind::Held, hold).await
}

/// Releases held recipients: they are due now.
///
/// # Errors
/// As [`retry`].
pub async fn release(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    reopen: Option<&Reopen>,
    asked: ReleaseRecipients,
) -> Result<Changed, OperationError> {
    let now = Millis::now();
    let release = |selection| queue.release(selection, now);
    let named = asked.recipients.clone();
    let changed = change(queue, trace, asked.recipients, &Kind::Released, release).await?;
    open_for(queue, reopen, named, now).await?;
    Ok(changed)
}

/// Changes recipients message by message, so that the trace of each message records it.
async fn change(
    queue: &dyn QueueAdmin,
    trace: &Trace,
    recipients: SelectedRecipients,
    kind: &Kind,
    start: impl Fn(Selection) -> Ticket<Changed>,
) -> Result<Changed, OperationError> {
    let SelectedRecipients {
        ids,
        account,
        recipient,
        destination,
        all,
    } = recipients;
    let some = !ids.is_empty() || account.is_some() || recipient.is_some() || destination.is_some();
    match (all, some) {
        (true, true) => {
            let text = "all recipients are selected, and some of them: leave out either";
            return Err(OperationError::new(Code::AllAndSome, text));
        }
        (false, false) => {
            let text = "no recipients are selected: name messages, an account, a recipient or a \
                destination, or say that all are meant";
            return Err(OperationError::new(Code::NothingSelected, text));
        }
        _ => {}
    }
    let selection = |id| Selection {
        id,
        account: account.clone(),
        recipient: recipient.clone(),
        destination: destination.clone(),
    };
    let mut total = Changed::default();
    let mut ids = ids.into_iter().collect::<BTreeSet<_>>().into_iter();
    let named = ids.len() > 0;
    let mut after = None;
    loop {
        let page: Vec<_> = match named {
            true => ids.by_ref().take(TOGETHER).collect(),
            false => {
                let page = queue.list(Filter {
                    selection: selection(None),
                    status: None,
                    after,
                    limit: TOGETHER,
                });
                page.await?.iter().map(|summary| summary.id).collect()
            }
        };
        let Some(last) = page.last() else {
            return Ok(total);
        };
        after = Some(*last);
        // All changes of a page are started before the first is awaited.
        let started = page.iter().map(|id| (*id, start(selection(Some(*id)))));
        for (id, ticket) in started.collect::<Vec<_>>() {
            let changed = ticket.await?;
            if changed.changed > 0 {
                trace.record(Event::now(id, kind.clone()));
            }
            total.changed += changed.changed;
            total.in_progress += changed.in_progress;
        }
    }
}
