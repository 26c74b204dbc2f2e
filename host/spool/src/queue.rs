//! What a postmaster sees and chooses.

use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Classification, Judgement, Transaction};
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::{MessageRequest, RecipientRequest};
use serde::{Deserialize, Serialize};

use crate::{Machine, Owner, Quarantine};

/// Which recipients an operation is for. What is `None` does not restrict; the default is all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Those of one message.
    pub id: Option<TransactionId>,
    /// Those of messages of one account.
    pub account: Option<String>,
    /// One address, or a domain to choose all addresses in it.
    pub recipient: Option<String>,
}

impl Selection {
    /// The recipients of one message.
    pub fn message(id: TransactionId) -> Self {
        Self {
            id: Some(id),
            ..Self::default()
        }
    }
}

/// Which messages to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Messages with at least one of these recipients.
    pub selection: Selection,
    /// Messages with at least one recipient in this state.
    pub status: Option<Status>,
    /// Go on after this message: the last one of the page before.
    pub after: Option<TransactionId>,
    /// At most so many messages.
    pub limit: usize,
}

impl Default for Filter {
    /// The first hundred of all messages.
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            status: None,
            after: None,
            limit: 100,
        }
    }
}

/// How many recipients an operation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Changed {
    /// Recipients changed.
    pub changed: u64,
    /// Recipients chosen but left alone because they are being attempted at this moment: what a
    /// next hop may already have taken cannot be called back.
    pub in_progress: u64,
}

/// The state of a recipient, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Waits for its next attempt.
    Queued,
    /// Is being attempted.
    Leased,
    /// Waits for an operator.
    Held,
    /// Kept apart with its message.
    Quarantined,
    /// Taken by a next hop.
    Delivered,
    /// Given up.
    Failed,
    /// Ended by an operator.
    Cancelled,
    /// Gets nothing, as a policy decided.
    Suppressed,
}

impl Status {
    /// All of them, unfinished ones first.
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

    /// The word for it in the store, in JSON and in metrics.
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

    /// Whether nothing more happens to a recipient in this state.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::Failed | Self::Cancelled | Self::Suppressed
        )
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// The state of a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "status"
)]
pub enum RecipientState {
    /// Waits for its next attempt.
    Queued {
        /// Not before this time.
        next_attempt: Millis,
    },
    /// Is being attempted.
    Leased {
        /// By whom.
        owner: Owner,
        /// When the lease runs out and it is due again.
        until: Millis,
    },
    /// Waits for an operator.
    Held,
    /// Kept apart with its message.
    Quarantined,
    /// Taken by a next hop.
    Delivered,
    /// Given up.
    Failed,
    /// Ended by an operator.
    Cancelled,
    /// Gets nothing, as a policy decided.
    Suppressed {
        /// Why.
        reason: String,
    },
}

impl RecipientState {
    /// The same in one word.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Recipient {
    /// Its number within the message, from 0 in the order of the envelope.
    pub number: u32,
    /// The forward-path.
    pub address: Address,
    /// What becomes of it.
    #[serde(flatten)]
    pub state: RecipientState,
    /// How many attempts were made.
    pub attempts: u32,
    /// When it was last handed to delivery.
    pub last_attempt: Option<Millis>,
    /// The last reply: of the server, or of the relay in its stead.
    pub last_reply: Option<Reply>,
    /// The server of the last attempt.
    pub last_server: Option<String>,
    /// What the sender wants to hear of it.
    #[serde(default)]
    pub dsn: RecipientRequest,
    /// Whether the sender has been told that it is late.
    #[serde(default)]
    pub delay_told: bool,
}

/// A message as a line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Its transaction.
    pub id: TransactionId,
    /// Whose it is.
    pub account: Option<String>,
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// When it was received.
    pub received_at: Millis,
    /// When delivery gives up.
    pub expires_at: Millis,
    /// Octets of header section and body.
    pub size: u64,
    /// Tags put on it by policies.
    pub tags: Vec<String>,
    /// Set while it is kept apart.
    pub quarantine: Option<Quarantine>,
    /// All its recipients, finished ones too.
    pub recipients: Vec<Recipient>,
}

/// All that is known of a message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// As in a list.
    #[serde(flatten)]
    pub summary: Summary,
    /// Session facts and envelope.
    pub transaction: Transaction,
    /// What kind of message it is, if a policy said so.
    pub classification: Option<Classification>,
    /// Every call of a policy that judged it: version, verdict, reasons.
    pub judgements: Vec<Judgement>,
    /// The client announced SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// What the sender wants to hear of it.
    pub dsn: MessageRequest,
    /// The message itself; its body is read from the store when it is first touched.
    #[serde(skip)]
    pub message: Message,
}

/// What [`Spool::expire`](crate::Spool::expire) dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expired {
    /// Messages whose time in quarantine was over.
    pub quarantined: Vec<TransactionId>,
    /// Marks and counts that were over.
    pub remembered: usize,
    /// Whether there may be more to drop than one call does: to be called again soon.
    pub more: bool,
}

/// How much is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QueueDepth {
    /// Messages in the queue.
    pub messages: u64,
    /// Messages in quarantine.
    pub quarantined: u64,
    /// Recipients in the store by state; states that nobody is in are left out.
    pub recipients: std::collections::BTreeMap<Status, u64>,
    /// When the oldest message of the queue was received.
    pub oldest: Option<Millis>,
}

/// A machine that an account knows of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KnownMachine {
    /// Whose knowledge it is; empty where it is of mail of no account.
    pub account: String,
    /// The address that it writes from, in canonical form.
    pub address: String,
    /// How it has shown itself, and for how long that is known.
    #[serde(flatten)]
    pub machine: Machine,
}
