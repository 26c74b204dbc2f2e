//! Messages handed to the store, claims of delivery, and results of attempts.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use gatepost_message::{Address, Body, Message, Millis, TransactionId};
use gatepost_model::{Classification, Effect, Flow, Judgement, Route, Session, Transaction};
use gatepost_smtp::{Reply, dsn};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Ledger, Scope, SpoolError, StagedBody};

/// A message to be accepted, with everything that belongs into the same commit.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Id, session facts, account and envelope. Its list of recipients is not stored: it is rebuilt
    /// from `recipients`.
    pub transaction: Transaction,
    /// Recipients, including those that get nothing but are on record.
    pub recipients: Vec<NewRecipient>,
    /// True if the client announced SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Delivery status notifications that the sender asked for (RFC 3461).
    pub dsn: dsn::MessageRequest,
    /// Evidence for the reverse-path.
    pub sender: SenderProof,
    /// Header section after all edits, with the empty line that ends it.
    pub head: Bytes,
    /// Everything after the header section, unchanged.
    pub body: NewBody,
    /// Tags set by policies.
    pub tags: Vec<String>,
    /// Class of the message, if a policy determined it.
    pub classification: Option<Classification>,
    /// All calls of policies that judged it.
    pub judgements: Vec<Judgement>,
    /// Effects with their scopes, applied in the same commit.
    pub effects: Vec<(Scope, Effect)>,
    /// Text that the application handed in with the message, to be told in its events.
    pub metadata: Option<String>,
    /// Entries for the ledgers, written in the same commit.
    pub ledger: Ledger,
    /// Set if the message is quarantined: its queued recipients wait for a release.
    pub quarantine: Option<Quarantine>,
    /// Time of reception.
    pub received_at: Millis,
    /// Time at which delivery gives up.
    pub expires_at: Millis,
}

impl NewMessage {
    /// Returns the octets of header section and body.
    pub fn size(&self) -> u64 {
        let body = match &self.body {
            NewBody::Inline(bytes) => bytes.len() as u64,
            NewBody::Staged(staged) => staged.len(),
        };
        self.head.len() as u64 + body
    }

    /// Returns the octets that the queue itself keeps: all but a body in the body store.
    pub fn inline_octets(&self) -> u64 {
        match self.body {
            NewBody::Inline(_) => self.size(),
            NewBody::Staged(_) => self.head.len() as u64,
        }
    }

    /// Returns true if any recipient is not finished, so that the message is stored.
    pub fn is_open(&self) -> bool {
        let mut recipients = self.recipients.iter();
        recipients.any(|recipient| recipient.state.is_open())
    }

    /// Returns the time since which the message waits, if its account is to be told when it is late.
    pub(crate) fn untold_since(&self) -> Option<Millis> {
        let is_told = self.transaction.session.flow == Flow::Submission;
        (is_told && self.quarantine.is_none()).then_some(self.received_at)
    }

    /// Returns true if neither effects nor entries for the ledgers come with the message.
    pub(crate) fn has_no_changes(&self) -> bool {
        self.effects.is_empty() && self.ledger.is_empty()
    }

    /// Returns true if a recipient is due as soon as the message is stored.
    pub fn is_due(&self, recipient: &NewRecipient) -> bool {
        matches!(&recipient.state,
            InitialState::Queued { next_attempt } if *next_attempt <= self.received_at)
    }

    /// Returns true if the message is for the queue and any recipient is due as soon as it is
    /// stored.
    pub fn is_due_at_once(&self) -> bool {
        let mut recipients = self.recipients.iter();
        self.quarantine.is_none() && recipients.any(|recipient| self.is_due(recipient))
    }

    /// Returns the body if it is in the body store.
    ///
    /// # Errors
    /// [`SpoolError::OtherBody`] if it was staged for another transaction.
    pub fn staged(&self) -> Result<Option<&StagedBody>, SpoolError> {
        match &self.body {
            NewBody::Inline(_) => Ok(None),
            NewBody::Staged(staged) if staged.id() == self.transaction.id => Ok(Some(staged)),
            NewBody::Staged(staged) => Err(SpoolError::OtherBody {
                staged: staged.id(),
                given: self.transaction.id,
            }),
        }
    }
}

/// Returns the minutes for which a message waits.
pub(crate) fn minutes_late(since: Millis, now: Millis) -> u32 {
    u32::try_from(now.since(since).as_secs() / 60).unwrap_or(u32::MAX)
}

/// Most effects of one message.
const MAX_EFFECTS: usize = 10_000;

/// Drops effects beyond the bound. A transaction and its connection together have fewer; whatever
/// is handed in, a commit must not take long.
pub(crate) fn bound_effects(effects: &mut Vec<(Scope, Effect)>, id: Option<TransactionId>) {
    if effects.len() > MAX_EFFECTS {
        let id = id.map(tracing::field::display);
        tracing::error!(
            id,
            effects = effects.len(),
            kept = MAX_EFFECTS,
            "too many effects of a message: the rest is dropped"
        );
        effects.truncate(MAX_EFFECTS);
    }
}

/// Evidence that a message comes from the mailbox in its reverse-path. It decides whether a notice
/// may be sent there, and how much the notice may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderProof {
    /// The client logged in, so a known user is responsible.
    Authenticated,
    /// The domain of the reverse-path is proved: SPF passes, or a DKIM signature is of that domain.
    Proved,
    /// Nothing proves the domain, or it was not checked.
    #[default]
    Unproved,
    /// SPF fails for the domain of the reverse-path.
    Refuted,
}

impl SenderProof {
    /// Returns the proof of a message that an earlier version stored, which stored none.
    pub(crate) fn of_earlier(session: &Session) -> Self {
        match session.user {
            Some(_) => Self::Authenticated,
            None => Self::Unproved,
        }
    }
}

/// Body of a message to be accepted.
#[derive(Debug, Clone)]
pub enum NewBody {
    /// Body that is stored in the database with the message.
    Inline(Bytes),
    /// Body that is already in a [`BodyStore`](crate::BodyStore).
    Staged(StagedBody),
}

impl NewBody {
    /// Returns the body for reading; it can be read as long as it is held.
    pub fn body(&self) -> Arc<dyn Body> {
        match self {
            Self::Inline(bytes) => Arc::new(bytes.clone()),
            Self::Staged(staged) => staged.body(),
        }
    }
}

/// One recipient of a message to be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewRecipient {
    /// Forward-path.
    pub address: Address,
    /// Delivery status notifications that the sender asked for (RFC 3461).
    pub dsn: dsn::RecipientRequest,
    /// State in which the recipient starts.
    pub state: InitialState,
}

/// State in which a recipient starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum InitialState {
    /// Queued for delivery.
    Queued {
        /// Time before which it is not attempted.
        next_attempt: Millis,
    },
    /// Waits for an operator.
    Held,
    /// Gets nothing; on record with the reason while the message lives.
    Suppressed {
        /// Reason for the suppression.
        reason: String,
    },
    /// Refused after DATA; on record with the reply while the message lives.
    Failed {
        /// Reply of the refusal.
        reply: Reply,
    },
}

impl InitialState {
    /// Returns true if the recipient is not finished.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Queued { .. } | Self::Held => true,
            Self::Suppressed { .. } | Self::Failed { .. } => false,
        }
    }
}

/// Reason and end of a message's time in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Quarantine {
    /// Reason that the policy gave.
    pub reason: String,
    /// Time at which it is dropped unless released.
    pub expires: Millis,
}

/// Holder of leases; each running relay is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Owner(Uuid);

impl Owner {
    /// Makes an owner that differs from all others, past ones included.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads an owner, as it is displayed.
    ///
    /// # Errors
    /// The text is not one.
    pub fn parse(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The right to attempt the claimed recipients. No recipient is ever leased twice under the same
/// owner and time, so a result that quotes an expired lease is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Holder of the lease.
    pub owner: Owner,
    /// End of the lease.
    pub until: Millis,
}

/// Due recipients of one message, leased.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Lease, to be quoted in the report.
    pub lease: Lease,
    /// Id, session facts, account and envelope, with all recipients of the message.
    pub transaction: Transaction,
    /// True if the client announced SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Delivery status notifications that the sender asked for (RFC 3461).
    pub dsn: dsn::MessageRequest,
    /// Evidence for the reverse-path.
    pub sender: SenderProof,
    /// The message; its body is read from the store on first access, which blocks.
    pub message: Message,
    /// Tags set by policies.
    pub tags: Vec<String>,
    /// Class of the message, if a policy determined it.
    pub classification: Option<Classification>,
    /// Text that the application handed in with the message.
    pub metadata: Option<String>,
    /// Time of reception.
    pub received_at: Millis,
    /// Time at which delivery gives up.
    pub expires_at: Millis,
    /// Recipients to be attempted, in the order of the envelope.
    pub recipients: Vec<ClaimedRecipient>,
}

/// One recipient to be attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedRecipient {
    /// Number within the message, to be quoted in the result.
    pub number: u32,
    /// Forward-path.
    pub address: Address,
    /// Delivery status notifications that the sender asked for (RFC 3461).
    pub dsn: dsn::RecipientRequest,
    /// True if the sender was told of the delay.
    pub delay_told: bool,
    /// Number of earlier attempts.
    pub attempts: u32,
    /// Last reply of the last attempt.
    pub last_reply: Option<Reply>,
    /// Server of the last attempt.
    pub last_server: Option<String>,
    /// Route that was stored with it; none before it is routed.
    pub route: Option<Route>,
    /// Cause of the claim.
    pub cause: ClaimCause,
}

/// Cause for which a recipient is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimCause {
    /// It is due, and its destination has room.
    Due,
    /// The time has come at which delivery wants it back, whatever the pace of its destination: to
    /// give it up, or to tell of the delay. It does not count as in hand there.
    Attention,
}

/// Results of one attempt to deliver one message.
#[derive(Debug)]
pub struct Report {
    /// Lease of the claim.
    pub lease: Lease,
    /// Id of the message.
    pub message: TransactionId,
    /// Results by recipient; recipients without one stay leased.
    pub results: Vec<RecipientResult>,
    /// Notices that report the results, stored in the same commit.
    pub notices: Vec<NewMessage>,
    /// Time until which the message is kept, finished as it is, if a recipient has failed; `None`
    /// keeps no message.
    pub keep_until: Option<Millis>,
}

/// Result of one recipient in an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientResult {
    /// Number of the recipient in the claim.
    pub number: u32,
    /// End of the attempt.
    pub outcome: AttemptOutcome,
    /// Route to be stored with a recipient that stays in the queue; `None` keeps the stored one.
    pub route: Option<Route>,
    /// Time at which a recipient that stays queued is claimed even if its destination is closed;
    /// `None` means the time at which the message expires. A time that had passed when the
    /// recipient was claimed is not heeded again.
    pub attention_at: Option<Millis>,
    /// Entries for the ledgers, written in the same commit if the result is applied.
    pub ledger: Ledger,
}

impl RecipientResult {
    /// Makes a result that changes neither route nor attention, and tells nothing.
    pub fn of(number: u32, outcome: AttemptOutcome) -> Self {
        Self {
            number,
            outcome,
            route: None,
            attention_at: None,
            ledger: Ledger::default(),
        }
    }
}

/// End of an attempt for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The next hop accepted it.
    Delivered {
        /// Reply of the next hop.
        reply: Reply,
        /// Host name and port of the next hop.
        server: String,
    },
    /// The attempt failed for now; there will be another.
    Deferred {
        /// Reply of the next hop, or of the relay in its stead.
        reply: Reply,
        /// Next hop, if there was one.
        server: Option<String>,
        /// Time before which it is not attempted again.
        next_attempt: Millis,
        /// True if a notice in the report tells the sender of the delay.
        delay_told: bool,
    },
    /// The attempt failed for good.
    Failed {
        /// Reply of the next hop, or of the relay in its stead.
        reply: Reply,
        /// Next hop, if there was one.
        server: Option<String>,
    },
    /// Held for an operator, without further attempts.
    Held {
        /// Reason, as a reply of the relay.
        reply: Reply,
    },
    /// Dropped without a notice; on record with the reason while the message lives.
    Discarded {
        /// Reason of the policy.
        reason: String,
    },
    /// Returned without an attempt: no attempt is counted.
    Returned {
        /// Time before which it is not attempted.
        next_attempt: Millis,
        /// Reply to be kept as the last one; `None` keeps reply and server as they are.
        reply: Option<Reply>,
        /// Server that gave the reply.
        server: Option<String>,
    },
}

impl AttemptOutcome {
    /// Returns true if nothing is left to be done for the recipient.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Delivered { .. } | Self::Failed { .. } | Self::Discarded { .. } => true,
            Self::Deferred { .. } | Self::Held { .. } | Self::Returned { .. } => false,
        }
    }
}

/// Result of recording a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Number of results that were applied.
    pub applied: usize,
    /// Number of results ignored because the lease was no longer held.
    pub ignored: usize,
    /// True if the message was deleted because its last recipient is finished.
    pub finished: bool,
}
