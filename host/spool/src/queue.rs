//! Types for listing and changing queued and quarantined messages.

use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Classification, DestinationKey, Judgement, Route, Transaction};
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::{MessageRequest, RecipientRequest};
use serde::{Deserialize, Serialize};

use crate::{Owner, Quarantine};

/// Recipients that an operation is for. A field that is `None` does not restrict; the default is
/// all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Restricts to one message.
    pub id: Option<TransactionId>,
    /// Restricts to the messages of one account.
    pub account: Option<String>,
    /// Restricts to one address, or to all addresses in a domain.
    pub recipient: Option<String>,
    /// Restricts to those whose stored route leads to this destination.
    pub destination: Option<DestinationKey>,
}

impl Selection {
    /// Selects the recipients of one message.
    pub fn message(id: TransactionId) -> Self {
        Self {
            id: Some(id),
            ..Self::default()
        }
    }

    /// Returns the address or domain in the form in which recipients are stored: domains in lower
    /// case.
    pub fn canonical_recipient(&self) -> Option<String> {
        let canonical = |text: &String| match Address::parse(text) {
            Ok(address) => address.to_string(),
            Err(_) => text.to_lowercase(),
        };
        self.recipient.as_ref().map(canonical)
    }

    /// Returns true if a recipient with that route is selected.
    pub(crate) fn leads_to(&self, route: Option<&Route>) -> bool {
        (self.destination.as_ref())
            .is_none_or(|wanted| route.is_some_and(|route| route.destination.key() == *wanted))
    }

    /// Returns true if a recipient is the address, or of the domain, in canonical form.
    pub(crate) fn concerns(wanted: Option<&str>, address: &Address) -> bool {
        let address = address.as_str();
        wanted.is_none_or(|wanted| {
            let local = address.strip_suffix(wanted);
            local.is_some_and(|local| local.is_empty() || local.ends_with('@'))
        })
    }
}

/// Messages to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Selection of which a message must have at least one recipient.
    pub selection: Selection,
    /// State in which a message must have at least one recipient.
    pub status: Option<Status>,
    /// Last message of the previous page; the list goes on after it.
    pub after: Option<TransactionId>,
    /// Most messages to list.
    pub limit: usize,
}

impl Default for Filter {
    /// Lists the first hundred of all messages.
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            status: None,
            after: None,
            limit: 100,
        }
    }
}

/// Number of recipients that an operation changed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct Changed {
    /// Recipients that were changed.
    pub changed: u64,
    /// Selected recipients that were not changed because they are being attempted: a next hop may
    /// already have accepted them.
    pub in_progress: u64,
}

/// State of a recipient, in one word.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Waits for its next attempt.
    Queued,
    /// Is being attempted.
    Leased,
    /// Waits for an operator.
    Held,
    /// In quarantine with its message.
    Quarantined,
    /// Accepted by a next hop.
    Delivered,
    /// Given up.
    Failed,
    /// Ended by an operator.
    Cancelled,
    /// Gets nothing, as a policy decided.
    Suppressed,
}

impl Status {
    /// All states, unfinished ones first.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Leased,
        Self::Held,
        Self::Quarantined,
        Self::Delivered,
        Self::Failed,
        Self::Cancelled,
        Self::Suppressed,
    ];

    /// Returns the word for the state in the store, in JSON and in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Held => "held",
            Self::Quarantined => "quarantined",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Suppressed => "suppressed",
        }
    }

    /// Returns true if the recipient is finished.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::Failed | Self::Cancelled | Self::Suppressed
        )
    }

    /// Returns the state for its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// State of a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "status"
)]
pub enum RecipientState {
    /// Waits for its next attempt.
    Queued {
        /// Time before which it is not attempted.
        next_attempt: Millis,
    },
    /// Is being attempted.
    Leased {
        /// Holder of the lease.
        owner: Owner,
        /// End of the lease, after which the recipient is due again.
        until: Millis,
    },
    /// Waits for an operator.
    Held,
    /// In quarantine with its message.
    Quarantined,
    /// Accepted by a next hop.
    Delivered,
    /// Given up.
    Failed,
    /// Ended by an operator.
    Cancelled,
    /// Gets nothing, as a policy decided.
    Suppressed {
        /// Reason for the suppression.
        reason: String,
    },
}

impl RecipientState {
    /// Returns the state without its data.
    pub fn status(&self) -> Status {
        match self {
            Self::Queued { .. } => Status::Queued,
            Self::Leased { .. } => Status::Leased,
            Self::Held => Status::Held,
            Self::Quarantined => Status::Quarantined,
            Self::Delivered => Status::Delivered,
            Self::Failed => Status::Failed,
            Self::Cancelled => Status::Cancelled,
            Self::Suppressed { .. } => Status::Suppressed,
        }
    }
}

/// A recipient as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Recipient {
    /// Number within the message, from 0 in the order of the envelope.
    pub number: u32,
    /// Forward-path.
    pub address: Address,
    /// State.
    #[serde(flatten)]
    pub state: RecipientState,
    /// Number of attempts.
    pub attempts: u32,
    /// Time of the last attempt.
    pub last_attempt: Option<Millis>,
    /// Last reply: of the server, or of the relay in its stead.
    pub last_reply: Option<Reply>,
    /// Server of the last attempt.
    pub last_server: Option<String>,
    /// Delivery status notifications that the sender asked for (RFC 3461).
    #[serde(default)]
    pub dsn: RecipientRequest,
    /// True if the sender was told of the delay.
    #[serde(default)]
    pub delay_told: bool,
    /// Route; none before it is routed.
    #[serde(default)]
    pub route: Option<Route>,
}

/// A message as a line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "MessageSummary")]
pub struct Summary {
    /// Transaction id.
    pub id: TransactionId,
    /// Account that the message belongs to.
    pub account: Option<String>,
    /// Reverse-path.
    pub reverse_path: ReversePath,
    /// Time of reception.
    pub received_at: Millis,
    /// Time at which delivery gives up.
    pub expires_at: Millis,
    /// Octets of header section and body.
    pub size: u64,
    /// Tags set by policies.
    pub tags: Vec<String>,
    /// Reason and end of the quarantine, while the message is in it.
    pub quarantine: Option<Quarantine>,
    /// All recipients, finished ones included.
    pub recipients: Vec<Recipient>,
}

/// All that the store holds of a message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// Fields that a list has, too.
    #[serde(flatten)]
    pub summary: Summary,
    /// Session facts and envelope.
    pub transaction: Transaction,
    /// Class of the message, if a policy determined it.
    pub classification: Option<Classification>,
    /// All calls of policies that judged it: version, verdict, reasons.
    pub judgements: Vec<Judgement>,
    /// True if the client announced SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Delivery status notifications that the sender asked for (RFC 3461).
    pub dsn: MessageRequest,
    /// Text that the application handed in with the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// The message; its body is read from the store on first access.
    #[serde(skip)]
    pub message: Message,
}

/// Messages dropped by [`QueueAdmin::quarantine_expire`](crate::QueueAdmin::quarantine_expire).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expired {
    /// Messages whose time in quarantine was over.
    pub quarantined: Vec<TransactionId>,
    /// True if there may be more to drop than one call does; call it again soon.
    pub more: bool,
}

/// Entries dropped by [`Counters::expire`](crate::Counters::expire).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Number of expired marks, counts and machines.
    pub entries: usize,
    /// True if there may be more to drop than one call does; call it again soon.
    pub more: bool,
}

/// Size of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QueueDepth {
    /// Messages in the queue.
    pub messages: u64,
    /// Messages in quarantine.
    pub quarantined: u64,
    /// Recipients by state; states without a recipient are left out.
    pub recipients: std::collections::BTreeMap<Status, u64>,
    /// Time of reception of the oldest message in the queue.
    pub oldest: Option<Millis>,
}
