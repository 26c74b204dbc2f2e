//! Details of stored messages, in the queue and in the quarantine.

use gatepost_message::Millis;
use gatepost_model::{Classification, Judgement, Transaction};
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::MessageRequest;
use gatepost_spool::{Record, Summary};
use serde::{Deserialize, Serialize};

/// Number of messages on a page where nothing else is asked for.
pub(crate) const PAGE: usize = 100;

/// Details of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MessageDetails {
    /// Summary, as in a list.
    #[serde(flatten)]
    pub summary: Summary,
    /// Session and envelope.
    pub transaction: Transaction,
    /// Class of the message, if a policy determined it.
    pub classification: Option<Classification>,
    /// Judgements of all policies.
    pub judgements: Vec<Judgement>,
    /// True if the client announced SMTPUTF8 (RFC 6531).
    #[serde(default)]
    pub smtputf8: bool,
    /// Delivery status notifications that the sender asked for.
    #[serde(default)]
    pub dsn: MessageRequest,
    /// Reasons why queued recipients wait.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingRecipient>,
    /// Header section; bytes that are not UTF-8 are replaced.
    pub header: String,
}

/// Reason why a queued recipient waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WaitingRecipient {
    /// Number of the recipient within the message.
    pub number: u32,
    /// Reason, in words.
    pub reason: String,
    /// Reply that closed its destination, to whichever message it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_reply: Option<DestinationReply>,
}

/// Reply that closed a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DestinationReply {
    /// Time at which it came.
    pub at: Millis,
    /// Reply of a server, or of the relay in its stead.
    pub reply: Reply,
}

impl From<Record> for MessageDetails {
    fn from(record: Record) -> Self {
        Self {
            header: String::from_utf8_lossy(record.message.head()).into_owned(),
            summary: record.summary,
            transaction: record.transaction,
            classification: record.classification,
            judgements: record.judgements,
            smtputf8: record.smtputf8,
            dsn: record.dsn,
            waiting: Vec::new(),
        }
    }
}
