//! A recorded entry, ready to be judged again.

use std::sync::Arc;

use gatepost_message::Message;
use gatepost_model::Judgement;
use gatepost_record::{MissingBody, RecordEntry, RecordedEntry};

use crate::given::all_calls;

/// Recorded entry with its message.
#[derive(Debug, Clone)]
pub struct ReplayEntry {
    /// The entry.
    pub entry: Arc<RecordEntry>,
    /// Message, if the transaction came to one.
    pub message: Option<Message>,
    /// Its body, if the record does not have the octets.
    pub missing: Option<Arc<MissingBody>>,
    /// Judgements of all its calls, in their order. A call of the same version with the same facts is not
    /// made again. Empty where the record does not have each of them, or another version of the relay
    /// made them.
    pub(crate) judgements: Arc<Vec<Judgement>>,
}

impl ReplayEntry {
    /// Makes it of an entry as it is read.
    pub fn new(recorded: RecordedEntry, missing: Option<Arc<MissingBody>>) -> Self {
        let mut judgements = recorded.judgements.read_own();
        let called = all_calls(&recorded.entry).map(|call| &call.policy);
        // The connect hooks may have been asked before an earlier transaction.
        if !called.eq(judgements.iter().map(|of| &of.policy)) {
            judgements.clear();
        }
        Self {
            entry: Arc::new(recorded.entry),
            message: recorded.message,
            missing,
            judgements: Arc::new(judgements),
        }
    }

    /// Has every call be made, also those that the record has.
    #[must_use]
    pub fn called_anew(self) -> Self {
        Self {
            judgements: Arc::default(),
            ..self
        }
    }
}
