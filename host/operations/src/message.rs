//! Listing and showing of stored messages, in the queue and in the quarantine.

use clap::Args;
use gatepost_message::TransactionId;
use gatepost_model::{Classification, Judgement, Transaction};
use gatepost_smtp::dsn::MessageRequest;
use gatepost_spool::{Filter, Record, Selection, Status, Summary};
use serde::{Deserialize, Serialize};

/// Selection of messages, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args)]
pub struct Page {
    /// Only messages of this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Only messages to this address, or to this domain.
    #[arg(long, value_name = "ADDRESS|DOMAIN")]
    pub recipient: Option<String>,
    /// Only messages that came after this one.
    #[arg(long, value_name = "ID")]
    pub after: Option<TransactionId>,
    /// Maximum number of messages.
    #[arg(long, value_name = "NUMBER", default_value_t = Page::LIMIT)]
    #[serde(default = "default_limit")]
    pub limit: usize,
}

impl Page {
    const LIMIT: usize = 100;

    /// Returns the filter for these messages with a recipient in this state.
    pub(crate) fn filter(self, status: Option<Status>) -> Filter {
        Filter {
            selection: Selection {
                id: None,
                account: self.account,
                recipient: self.recipient,
            },
            status,
            after: self.after,
            limit: self.limit,
        }
    }
}

impl Default for Page {
    /// Selects the first hundred messages.
    fn default() -> Self {
        Self {
            account: None,
            recipient: None,
            after: None,
            limit: Self::LIMIT,
        }
    }
}

fn default_limit() -> usize {
    Page::LIMIT
}

/// Details of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Header section; bytes that are not UTF-8 are replaced.
    pub header: String,
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
        }
    }
}
