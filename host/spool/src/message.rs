//! What goes into the store and what delivery gets out of it.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use gatepost_message::{Address, Body, Message, Millis, TransactionId};
use gatepost_model::{Classification, Effect, Judgement, Session, Transaction};
use gatepost_smtp::{Reply, dsn};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Scope, StagedBody};

/// A message to be taken, with everything that one commit has to hold.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Id, session facts, account and envelope. Its list of recipients is not stored: it is
    /// rebuilt from `recipients`.
    pub transaction: Transaction,
    /// Who is to get it, and who is not but belongs on record.
    pub recipients: Vec<NewRecipient>,
    /// The client announced SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// What the sender wants to hear of it.
    pub dsn: dsn::MessageRequest,
    /// What is known of who its sender is.
    pub sender: SenderProof,
    /// The header section after all edits, with the empty line that ends it.
    pub head: Bytes,
    /// Everything after the header section, as it came.
    pub body: NewBody,
    /// Tags put on it by policies.
    pub tags: Vec<String>,
    /// What kind of message it is, if a policy said so.
    pub classification: Option<Classification>,
    /// Every call of a policy that judged it.
    pub judgements: Vec<Judgement>,
    /// What to remember, and for whom. Applied in the same commit.
    pub effects: Vec<(Scope, Effect)>,
    /// Set for a message to be kept apart: its queued recipients wait for a release.
    pub quarantine: Option<Quarantine>,
    /// When it was received.
    pub received_at: Millis,
    /// When delivery gives up.
    pub expires_at: Millis,
}

impl NewMessage {
    /// Octets of header section and body.
    pub fn size(&self) -> u64 {
        let body = match &self.body {
            NewBody::Inline(bytes) => bytes.len() as u64,
            NewBody::Staged(staged) => staged.len(),
        };
        self.head.len() as u64 + body
    }
}

/// Whether a message comes from whom its reverse-path names: what a notice may tell there, and
/// whether it may go there at all, depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderProof {
    /// Its client logged in; somebody answers for it.
    Authenticated,
    /// The domain of the reverse-path stands for it: SPF passes, or a signature of the domain.
    Proved,
    /// Nothing proves it, or nobody has looked.
    #[default]
    Unproved,
    /// The domain of the reverse-path says that it does not: SPF fails.
    Refuted,
}

impl SenderProof {
    /// Of a message that a version took which kept nothing of it.
    pub(crate) fn of_earlier(session: &Session) -> Self {
        match session.user {
            Some(_) => Self::Authenticated,
            None => Self::Unproved,
        }
    }
}

/// The body of a message to be taken.
#[derive(Debug, Clone)]
pub enum NewBody {
    /// Stored in the database with the message.
    Inline(Bytes),
    /// Already on the disk, in a file of its own.
    Staged(StagedBody),
}

impl NewBody {
    /// The body for reading; valid as long as it is held.
    pub fn body(&self) -> Arc<dyn Body> {
        match self {
            Self::Inline(bytes) => Arc::new(bytes.clone()),
            Self::Staged(staged) => staged.body(),
        }
    }
}

/// One recipient of a message to be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewRecipient {
    /// The forward-path.
    pub address: Address,
    /// What the sender wants to hear of it.
    pub dsn: dsn::RecipientRequest,
    /// What becomes of it first.
    pub state: InitialState,
}

/// How a recipient starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum InitialState {
    /// To be attempted.
    Queued {
        /// Not before this time.
        next_attempt: Millis,
    },
    /// To wait for an operator.
    Held,
    /// Gets nothing; on record with the reason while the message lives.
    Suppressed {
        /// Why.
        reason: String,
    },
    /// Refused after DATA; on record with the reply while the message lives.
    Failed {
        /// What the refusal says.
        reply: Reply,
    },
}

impl InitialState {
    /// Whether something is still to happen to the recipient.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Queued { .. } | Self::Held => true,
            Self::Suppressed { .. } | Self::Failed { .. } => false,
        }
    }
}

/// Why and until when a message is kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// What the policy said.
    pub reason: String,
    /// When it is dropped unless released.
    pub expires: Millis,
}

/// Who claims: one per running relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(Uuid);

impl Owner {
    /// A name that no other owner has or had.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    pub(crate) fn parse(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The right to attempt what was claimed with it. No recipient is ever leased twice under the
/// same owner and time, so a result that quotes an old lease is told from one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Who holds it.
    pub owner: Owner,
    /// When it runs out.
    pub until: Millis,
}

/// Due recipients of one message, leased.
#[derive(Debug, Clone)]
pub struct Claim {
    /// To be quoted in the report.
    pub lease: Lease,
    /// Id, session facts, account and envelope, with all recipients of the message.
    pub transaction: Transaction,
    /// The client announced SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// What the sender wants to hear of it.
    pub dsn: dsn::MessageRequest,
    /// What is known of who its sender is.
    pub sender: SenderProof,
    /// The message; its body is read from the store when it is first touched, which blocks.
    pub message: Message,
    /// Tags put on it by policies.
    pub tags: Vec<String>,
    /// What kind of message it is, if a policy said so.
    pub classification: Option<Classification>,
    /// When it was received.
    pub received_at: Millis,
    /// When delivery gives up.
    pub expires_at: Millis,
    /// Those to be attempted, in the order of the envelope.
    pub recipients: Vec<ClaimedRecipient>,
}

/// One recipient to be attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedRecipient {
    /// Its number within the message; to be quoted in the result.
    pub number: u32,
    /// The forward-path.
    pub address: Address,
    /// What the sender wants to hear of it.
    pub dsn: dsn::RecipientRequest,
    /// Whether the sender has been told that it is late.
    pub delay_told: bool,
    /// How many attempts were made before this one.
    pub attempts: u32,
    /// What the last server said to the last of them.
    pub last_reply: Option<Reply>,
    /// The server of the last attempt.
    pub last_server: Option<String>,
}

/// The results of one attempt at one message.
#[derive(Debug)]
pub struct Report {
    /// The lease of the claim.
    pub lease: Lease,
    /// The message.
    pub message: TransactionId,
    /// What became of recipients; those not named stay leased.
    pub results: Vec<RecipientResult>,
    /// The notifications that tell of them, stored in the same commit.
    pub notices: Vec<NewMessage>,
}

/// What became of one recipient in an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientResult {
    /// Its number in the claim.
    pub number: u32,
    /// How the attempt ended.
    pub ending: Ending,
}

/// How an attempt ended for a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The next hop took it.
    Delivered {
        /// What it said.
        reply: Reply,
        /// Its name and port.
        server: String,
    },
    /// To be tried again.
    Deferred {
        /// What the next hop, or the relay in its stead, said.
        reply: Reply,
        /// The next hop, if there was one.
        server: Option<String>,
        /// Not before this time.
        next_attempt: Millis,
        /// A notification of the report tells that it is late.
        delay_told: bool,
    },
    /// Given up.
    Failed {
        /// What the next hop, or the relay in its stead, said.
        reply: Reply,
        /// The next hop, if there was one.
        server: Option<String>,
    },
    /// Kept for an operator: nothing goes on before that.
    Held {
        /// What the relay said of it.
        reply: Reply,
    },
    /// Handed back without an attempt: nothing is counted.
    Returned {
        /// Not before this time.
        next_attempt: Millis,
    },
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Results that counted.
    pub applied: usize,
    /// Results ignored because the lease was no longer held.
    pub ignored: usize,
    /// Whether the message has left the store: its last recipient met an end.
    pub finished: bool,
}
