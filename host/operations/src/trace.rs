//! Trace: what happened to a message, and messages by what people know of them.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::Directory;
use gatepost_message::{Millis, TransactionId, parse_duration};
use gatepost_trace::{Event, FoundMessages, MessageSearch, Trace};
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::code::Code;
use crate::directory::account_name;
use crate::error::OperationError;
use crate::message::PAGE;

/// Request for the events of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowTrace {
    /// Transaction id, as in the reply to the client, the Received field and the log.
    pub id: TransactionId,
}

/// Request for messages by what is known of them, newest first. Each criterion restricts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct FindMessages {
    /// Only messages of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
    /// Only messages from this address, or from this domain, by MAIL FROM or From.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    pub sender: Option<String>,
    /// Only messages to this address, or to this domain, refused ones included.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    pub recipient: Option<String>,
    /// Only messages with this Message-ID, with angle brackets or without.
    #[arg(long, value_name = "ID")]
    pub message_id: Option<String>,
    /// Only messages in whose subject all these words stand, whatever their case.
    #[arg(long, value_name = "WORDS")]
    pub subject: Option<String>,
    /// Only messages in whose metadata this text stands.
    #[arg(long, value_name = "TEXT")]
    pub metadata: Option<String>,
    /// Only messages since this time, or not older than this, such as 2026-11-29T09:00:00Z or 24h.
    #[arg(long, value_name = "TIME|AGE", value_parser = time_or_age)]
    pub since: Option<Millis>,
    /// Only messages until this time, or older than this.
    #[arg(long, value_name = "TIME|AGE", value_parser = time_or_age)]
    pub until: Option<Millis>,
    /// Only messages that came before this one.
    #[arg(long, value_name = "ID")]
    pub before: Option<TransactionId>,
    /// Maximum number of messages, up to 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = PAGE)]
    pub limit: usize,
}

impl Default for FindMessages {
    /// Asks for the newest hundred messages.
    fn default() -> Self {
        Self {
            account: None,
            sender: None,
            recipient: None,
            message_id: None,
            subject: None,
            metadata: None,
            since: None,
            until: None,
            before: None,
            limit: PAGE,
        }
    }
}

/// Reads a time, or an age as the time at which something of that age came.
pub fn time_or_age(text: &str) -> Result<Millis, String> {
    let age = || parse_duration(text).map(|age| Millis::now() - age);
    text.parse()
        .or_else(|_| age())
        .map_err(|_| "write a time such as 2026-11-29T09:00:00Z, or an age such as 24h".to_owned())
}

/// Most octets of a criterion, and words of a subject.
const LONGEST: usize = 255;
const MOST_WORDS: usize = 20;

/// Finds messages by what is known of them.
///
/// # Errors
/// A criterion is too long, or the trace cannot be read.
pub async fn find(
    trace: &Arc<Trace>,
    directory: &Directory,
    asked: FindMessages,
) -> Result<FoundMessages, OperationError> {
    for (name, text) in [
        ("account", &asked.account),
        ("sender", &asked.sender),
        ("recipient", &asked.recipient),
        ("message-id", &asked.message_id),
        ("subject", &asked.subject),
        ("metadata", &asked.metadata),
    ] {
        let text = text.as_deref().unwrap_or_default();
        let words = text.split_whitespace().count();
        if text.len() > LONGEST || name == "subject" && words > MOST_WORDS {
            let text = format!("{name}: {LONGEST} octets and {MOST_WORDS} words at most");
            return Err(OperationError::new(Code::NotUnderstood, text));
        }
    }
    let account = asked.account.as_deref();
    let search = MessageSearch {
        account: account.map(|named| account_name(directory, named)),
        sender: asked.sender,
        recipient: asked.recipient,
        message_id: asked.message_id,
        subject: asked.subject,
        metadata: asked.metadata,
        since: asked.since,
        until: asked.until,
        before: asked.before,
        limit: asked.limit,
    };
    let trace = Arc::clone(trace);
    blocking(move || trace.find(&search)).await
}

/// Shows what happened to a message, in order.
///
/// # Errors
/// Nothing is known of the transaction, or the trace cannot be read.
pub async fn show(trace: &Arc<Trace>, asked: ShowTrace) -> Result<Vec<Event>, OperationError> {
    let ShowTrace { id } = asked;
    let trace = Arc::clone(trace);
    match blocking(move || trace.of(id)).await? {
        events if events.is_empty() => Err(unknown(id)),
        events => Ok(events),
    }
}

pub(crate) fn unknown(id: TransactionId) -> OperationError {
    let text = format!("nothing is known of transaction {id}");
    OperationError::new(Code::UnknownTransaction, text)
}
