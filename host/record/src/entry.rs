//! The entries of a record: one transaction with its questions to the chain, or one attempt.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_authentication::{Author, Facts};
use gatepost_message::{Address, Message, Millis, TransactionId};
use gatepost_model::{
    AttemptResult, AttemptStage, Ending, Judgement, MessageClass, Queued, Session, Transaction,
    TriedStep,
};
use gatepost_policy::Answered;
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

/// One call of a policy, but for its judgement, which the [entry](RecordedEntry) has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedCall {
    /// Policy that was called.
    pub policy: String,
    /// True if the chain ended with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended_chain: bool,
    /// Answers in the order in which it asked.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub answers: Arc<Vec<Answered>>,
}

fn is_empty(answers: &Arc<Vec<Answered>>) -> bool {
    answers.is_empty()
}

/// The connect hooks, asked about a client before the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedConnect {
    /// Session as it was then.
    pub session: Session,
    /// Time at which the client connected.
    pub at: Millis,
    /// Calls in order.
    pub calls: Vec<RecordedCall>,
}

/// The sender hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSender {
    /// Account of the transaction then.
    pub account: Option<String>,
    /// Calls in order.
    pub calls: Vec<RecordedCall>,
}

/// The recipient hooks, asked about one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRecipient {
    /// The recipient.
    pub address: Address,
    /// Account of the transaction then.
    pub account: Option<String>,
    /// Number of the transaction's recipients that were accepted before it.
    pub before: usize,
    /// Calls in order.
    pub calls: Vec<RecordedCall>,
}

/// The message hooks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedMessage {
    /// Facts about the message's origin, if they were gathered.
    pub facts: Option<RecordedFacts>,
    /// Calls in order.
    pub calls: Vec<RecordedCall>,
}

/// Facts with the authors, which facts do not store elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedFacts {
    facts: Facts,
    authors: Vec<Author>,
}

impl RecordedFacts {
    /// Makes them of the facts that were gathered.
    pub fn of(facts: &Facts) -> Self {
        let mut facts = facts.clone();
        Self {
            authors: std::mem::take(&mut facts.authors),
            facts,
        }
    }

    /// Returns the facts as they were gathered.
    pub fn facts(&self) -> Arc<Facts> {
        Arc::new(Facts {
            authors: self.authors.clone(),
            ..self.facts.clone()
        })
    }
}

/// One transaction, from the connection to the reply, with every question that the chain was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransactionRecord {
    /// Transaction at its end.
    pub transaction: Transaction,
    /// The connect hooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<RecordedConnect>,
    /// The sender hooks; absent if the relay's own rules refused the sender, or a connect hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<RecordedSender>,
    /// The recipient hooks, in the order of RCPT. Recipients that the relay's own rules refused are
    /// not among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<RecordedRecipient>,
    /// The message hooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<RecordedMessage>,
    /// Refusal by the relay's own rules at the end of data, which goes before any verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_by_relay: Option<Reply>,
    /// Word for the end, as in the metric `gatepost_transactions_total`.
    pub verdict: String,
    /// Last reply to the client; absent if it went away.
    pub reply: Option<Reply>,
}

/// Attempt at one recipient: the hook `route`, or the hook `outcome`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// Transaction that brought the message.
    pub transaction: Transaction,
    /// Recipient.
    pub recipient: Address,
    /// Attempts before.
    pub previous: u32,
    /// The message in the queue, but for the message.
    pub queued: RecordedQueued,
    /// Result, in the hook `outcome`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RecordedResult>,
    /// Calls in order.
    pub calls: Vec<RecordedCall>,
}

/// Facts of the queue, as [`Queued`] has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedQueued {
    attempt_time: Millis,
    accepted: Millis,
    expires: Millis,
    tags: Vec<String>,
    class: Option<MessageClass>,
    metadata: Vec<(String, String)>,
    last_reply: Option<Reply>,
    /// Each with its deferred attempts and the time of the first.
    steps_tried: Vec<(String, u32, Millis)>,
}

impl RecordedQueued {
    /// Makes them of what the hooks were told.
    pub fn of(queued: &Queued) -> Self {
        let steps = queued.steps_tried.iter();
        Self {
            attempt_time: queued.attempt_time,
            accepted: queued.accepted,
            expires: queued.expires,
            tags: queued.tags.clone(),
            class: queued.class,
            metadata: queued.metadata.clone(),
            last_reply: queued.last_reply.clone(),
            steps_tried: steps
                .map(|tried| (tried.step.clone(), tried.failures, tried.since))
                .collect(),
        }
    }

    /// Returns what the hooks were told, about this message.
    pub fn queued(&self, message: Message) -> Arc<Queued> {
        let steps = self.steps_tried.iter();
        Arc::new(Queued {
            attempt_time: self.attempt_time,
            accepted: self.accepted,
            expires: self.expires,
            message,
            tags: self.tags.clone(),
            class: self.class,
            metadata: self.metadata.clone(),
            last_reply: self.last_reply.clone(),
            steps_tried: steps
                .map(|(step, failures, since)| TriedStep {
                    step: step.clone(),
                    failures: *failures,
                    since: *since,
                })
                .collect(),
        })
    }

    /// Returns the time of the attempt.
    pub fn at(&self) -> Millis {
        self.attempt_time
    }
}

/// Result of an attempt, as [`AttemptResult`] has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedResult {
    ending: Ending,
    stage: AttemptStage,
    reply: Reply,
    step: Option<String>,
    server: Option<String>,
    tls: Option<String>,
    sent_as: Option<Address>,
    message_id: Option<String>,
}

impl RecordedResult {
    /// Makes it of what the hook was told.
    pub fn of(result: &AttemptResult) -> Self {
        Self {
            ending: result.ending,
            stage: result.stage,
            reply: result.reply.clone(),
            step: result.step.clone(),
            server: result.server.clone(),
            tls: result.tls.clone(),
            sent_as: result.sent_as.clone(),
            message_id: result.message_id.clone(),
        }
    }

    /// Returns what the hook was told about this recipient.
    pub fn result(&self, recipient: Address) -> Arc<AttemptResult> {
        Arc::new(AttemptResult {
            recipient,
            ending: self.ending,
            stage: self.stage,
            reply: self.reply.clone(),
            step: self.step.clone(),
            server: self.server.clone(),
            tls: self.tls.clone(),
            sent_as: self.sent_as.clone(),
            message_id: self.message_id.clone(),
        })
    }
}

/// One entry of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordEntry {
    /// Transaction.
    Transaction(Box<TransactionRecord>),
    /// Attempt at a recipient.
    Attempt(Box<AttemptRecord>),
}

impl RecordEntry {
    /// Returns the transaction that it is about.
    pub fn transaction(&self) -> &Transaction {
        match self {
            Self::Transaction(of) => &of.transaction,
            Self::Attempt(of) => &of.transaction,
        }
    }

    /// Returns the id of the transaction that it is about.
    pub fn id(&self) -> TransactionId {
        self.transaction().id
    }

    /// Returns the time of what was asked: of the transaction, or of the attempt.
    pub fn at(&self) -> Millis {
        match self {
            Self::Transaction(of) => of.transaction.time,
            Self::Attempt(of) => of.queued.at(),
        }
    }
}

/// An entry with its judgements and its message.
#[derive(Debug, Clone)]
pub struct RecordedEntry {
    /// The entry.
    pub entry: RecordEntry,
    /// Judgements of its calls, in their order, but for those of connect hooks that were asked before
    /// the transaction. A replay needs none of them.
    pub judgements: RecordedJudgements,
    /// Message before the edits of any policy; in an attempt, as it is in the queue. `None` if the
    /// transaction came to none.
    pub message: Option<Message>,
}

impl RecordedEntry {
    /// Returns the number of calls, as far as their judgements were not written yet.
    pub(crate) fn calls(&self) -> usize {
        match &self.judgements.0 {
            Judgements::Made(judgements) => judgements.len(),
            Judgements::Written(_) => 0,
        }
    }

    /// Returns true if the test holds for one of its parts as text: what was asked and answered, the
    /// judgements, the header section, the body if it is in memory.
    pub fn any_text(&self, mut test: impl FnMut(&str) -> bool) -> bool {
        let entry = serde_json::to_string(&self.entry).unwrap_or_default();
        let judgements = serde_json::to_string(&self.judgements.read()).unwrap_or_default();
        let message = self.message.as_ref();
        let head = message.map(|message| message.head().clone());
        let body = message.and_then(|message| message.body().in_memory().cloned());
        let mut octets = [head, body].into_iter().flatten();
        test(&entry)
            || test(&judgements)
            || octets.any(|octets| test(&String::from_utf8_lossy(&octets)))
    }
}

/// Judgements as they were made, or still as they were written.
#[derive(Debug, Clone)]
pub struct RecordedJudgements(pub(crate) Judgements);

#[derive(Debug, Clone)]
pub(crate) enum Judgements {
    Made(Vec<Judgement>),
    Written(Bytes),
}

/// Judgements as they are written, with the version of the relay that made them.
#[derive(Serialize, Deserialize)]
pub(crate) struct WrittenJudgements<'a>(pub(crate) Cow<'a, str>, pub(crate) Cow<'a, [Judgement]>);

/// Version of this relay.
pub(crate) const RELAY: &str = env!("CARGO_PKG_VERSION");

impl RecordedJudgements {
    /// Returns the judgements; none if they cannot be read, as those of a later version.
    pub fn read(&self) -> Vec<Judgement> {
        self.read_with_version().1
    }

    /// Returns the judgements if this version of the relay made them, and none otherwise: another one
    /// may judge otherwise with the same policy.
    pub fn read_own(&self) -> Vec<Judgement> {
        let (is_own, judgements) = self.read_with_version();
        match is_own {
            true => judgements,
            false => Vec::new(),
        }
    }

    fn read_with_version(&self) -> (bool, Vec<Judgement>) {
        match &self.0 {
            Judgements::Made(judgements) => (true, judgements.clone()),
            Judgements::Written(json) => match serde_json::from_slice(json) {
                Ok(WrittenJudgements(relay, judgements)) => {
                    (relay == RELAY, judgements.into_owned())
                }
                Err(_) => (false, Vec::new()),
            },
        }
    }
}
