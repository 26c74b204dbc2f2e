//! The seam of those who watch a chain: what it is asked, where its calls look up, and what it answers.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Millis};
use gatepost_model::{AttemptResult, Judgement, Queued, Session, Transaction};

use crate::findings::Findings;
use crate::memory::PolicyContext;
use crate::version::Version;

/// Question to a chain, each at one point of a message's life.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// A client has connected at this time.
    Connect(&'a Session, Millis),
    /// MAIL FROM.
    Sender(&'a Transaction),
    /// RCPT TO; the transaction has the recipients accepted before.
    Recipient(&'a Transaction, &'a Address),
    /// End of data.
    Message {
        /// Transaction with all its recipients.
        transaction: &'a Transaction,
        /// Message before the edits of any policy.
        message: &'a Message,
        /// Facts about the message's origin, if they were gathered.
        facts: Option<&'a Arc<Facts>>,
        /// Findings of the hooks before.
        findings: &'a Findings,
    },
    /// Before an attempt at a recipient.
    Route {
        /// Transaction that brought the message.
        transaction: &'a Transaction,
        /// Recipient that is due.
        recipient: &'a Address,
        /// Number of attempts so far.
        previous: u32,
        /// The message in the queue.
        queued: &'a Arc<Queued>,
    },
    /// After an attempt.
    Outcome {
        /// Transaction that brought the message.
        transaction: &'a Transaction,
        /// Result of the attempt.
        result: &'a Arc<AttemptResult>,
        /// The message in the queue.
        queued: &'a Arc<Queued>,
    },
}

/// Watches the questions to one chain, which come one after another. Each is answered before the next
/// is asked. No method may wait.
pub trait Recorder: Send + Sync {
    /// Hears a question.
    fn asked(&self, _question: Question<'_>) {}

    /// Returns the sources of the look-ups of the next call, which is one of this version.
    fn sources(&self, _version: &Version, sources: &PolicyContext) -> PolicyContext {
        sources.clone()
    }

    /// Returns the judgement of the next call, if it is known without the call.
    fn known(&self, _version: &Arc<Version>) -> Option<Judgement> {
        None
    }

    /// Hears the judgement of a call.
    fn judged(&self, _judgement: &Judgement) {}
}
