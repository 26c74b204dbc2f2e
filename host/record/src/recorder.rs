//! Recorder of one transaction, or of one attempt: notes what its chain is asked and answers.

use std::sync::Arc;

use gatepost_message::Message;
use gatepost_model::{Judgement, Transaction};
use gatepost_policy::{KeptAnswers, PolicyContext, Question, Recorder, Version};
use gatepost_smtp::Reply;
use parking_lot::Mutex;

use crate::entry::{
    AttemptRecord, Judgements, RecordEntry, RecordedCall, RecordedConnect, RecordedEntry,
    RecordedFacts, RecordedJudgements, RecordedMessage, RecordedQueued, RecordedRecipient,
    RecordedResult, RecordedSender, TransactionRecord,
};

/// Notes the questions to one chain.
#[derive(Debug, Default)]
pub struct ChainRecorder(Mutex<Notes>);

#[derive(Debug, Default)]
struct Notes {
    connect: Option<RecordedConnect>,
    sender: Option<RecordedSender>,
    recipients: Vec<RecordedRecipient>,
    message: Option<(RecordedMessage, Message)>,
    attempt: Option<(AttemptRecord, Message)>,
    /// Question asked last.
    now: Asked,
    /// Answers of the call that is made now.
    answers: KeptAnswers,
    judgements: Vec<Judgement>,
}

#[derive(Debug, Clone, Copy, Default)]
enum Asked {
    #[default]
    Nothing,
    Connect,
    Sender,
    Recipient,
    Message,
    Attempt,
}

/// End of a transaction.
#[derive(Debug)]
pub struct RecordedEnd {
    /// Transaction at its end.
    pub transaction: Transaction,
    /// Refusal by the relay's own rules at the end of data.
    pub refused_by_relay: Option<Reply>,
    /// Word for the end.
    pub verdict: &'static str,
    /// Last reply to the client.
    pub reply: Option<Reply>,
}

impl ChainRecorder {
    /// Makes the recorder of a transaction on a connection about which the connect hooks were asked.
    pub fn after(connect: Option<RecordedConnect>) -> Self {
        Self(Mutex::new(Notes {
            connect,
            ..Notes::default()
        }))
    }

    /// Returns what the connect hooks were asked, if they were.
    pub fn connect(&self) -> Option<RecordedConnect> {
        self.0.lock().connect.clone()
    }

    /// Returns the entry of the transaction; `None` if the chain was asked nothing.
    pub fn transaction(&self, end: RecordedEnd) -> Option<RecordedEntry> {
        let notes = std::mem::take(&mut *self.0.lock());
        let (message, octets) = notes.message.unzip();
        let record = TransactionRecord {
            transaction: end.transaction,
            connect: notes.connect,
            sender: notes.sender,
            recipients: notes.recipients,
            message,
            refused_by_relay: end.refused_by_relay,
            verdict: end.verdict.to_owned(),
            reply: end.reply,
        };
        let connect = record.connect.as_ref();
        let was_asked = connect.is_some_and(|of| !of.calls.is_empty())
            || record.sender.is_some()
            || !record.recipients.is_empty()
            || record.message.is_some();
        was_asked.then(|| RecordedEntry {
            entry: RecordEntry::Transaction(Box::new(record)),
            judgements: RecordedJudgements(Judgements::Made(notes.judgements)),
            message: octets,
        })
    }

    /// Returns the entry of the attempt; `None` if no policy was called.
    pub fn attempt(&self) -> Option<RecordedEntry> {
        let mut notes = self.0.lock();
        let (record, message) = notes.attempt.take()?;
        let judgements = std::mem::take(&mut notes.judgements);
        (!record.calls.is_empty()).then(|| RecordedEntry {
            entry: RecordEntry::Attempt(Box::new(record)),
            judgements: RecordedJudgements(Judgements::Made(judgements)),
            message: Some(message),
        })
    }
}

impl Notes {
    fn calls(&mut self) -> Option<&mut Vec<RecordedCall>> {
        match self.now {
            Asked::Nothing => None,
            Asked::Connect => Some(&mut self.connect.as_mut()?.calls),
            Asked::Sender => Some(&mut self.sender.as_mut()?.calls),
            Asked::Recipient => Some(&mut self.recipients.last_mut()?.calls),
            Asked::Message => Some(&mut self.message.as_mut()?.0.calls),
            Asked::Attempt => Some(&mut self.attempt.as_mut()?.0.calls),
        }
    }
}

impl Recorder for ChainRecorder {
    fn asked(&self, question: Question<'_>) {
        let mut notes = self.0.lock();
        let calls = Vec::new();
        notes.now = match question {
            Question::Connect(session, at) => {
                notes.connect = Some(RecordedConnect {
                    session: session.clone(),
                    at,
                    calls,
                });
                Asked::Connect
            }
            Question::Sender(transaction) => {
                notes.sender = Some(RecordedSender {
                    account: transaction.account.clone(),
                    calls,
                });
                Asked::Sender
            }
            Question::Recipient(transaction, recipient) => {
                notes.recipients.push(RecordedRecipient {
                    address: recipient.clone(),
                    account: transaction.account.clone(),
                    before: transaction.recipients.len(),
                    calls,
                });
                Asked::Recipient
            }
            Question::Message { message, facts, .. } => {
                let facts = facts.map(|facts| RecordedFacts::of(facts));
                let asked = RecordedMessage { facts, calls };
                notes.message = Some((asked, message.clone()));
                Asked::Message
            }
            Question::Route {
                transaction,
                recipient,
                previous,
                queued,
            } => {
                let asked = AttemptRecord {
                    transaction: transaction.clone(),
                    recipient: recipient.clone(),
                    previous,
                    queued: RecordedQueued::of(queued),
                    result: None,
                    calls,
                };
                notes.attempt = Some((asked, queued.message.clone()));
                Asked::Attempt
            }
            Question::Outcome {
                transaction,
                result,
                queued,
            } => {
                let asked = AttemptRecord {
                    transaction: transaction.clone(),
                    recipient: result.recipient.clone(),
                    previous: 0,
                    queued: RecordedQueued::of(queued),
                    result: Some(RecordedResult::of(result)),
                    calls,
                };
                notes.attempt = Some((asked, queued.message.clone()));
                Asked::Attempt
            }
        };
    }

    fn sources(&self, _: &Version, sources: &PolicyContext) -> PolicyContext {
        let mut notes = self.0.lock();
        notes.answers = KeptAnswers::default();
        notes.answers.keeping(sources)
    }

    fn judged(&self, judgement: &Judgement) {
        let mut notes = self.0.lock();
        let answers = Arc::new(notes.answers.take());
        if let Some(calls) = notes.calls() {
            calls.push(RecordedCall {
                policy: judgement.policy.clone(),
                ended_chain: judgement.verdict.stops_chain(),
                answers,
            });
            notes.judgements.push(judgement.clone());
        }
    }
}

/// Returns the recorder as a chain takes it.
pub fn watching(recorder: &Arc<ChainRecorder>) -> Arc<dyn Recorder> {
    Arc::<ChainRecorder>::clone(recorder)
}
