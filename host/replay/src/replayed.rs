//! What the versions of one side decided about one entry.

use std::sync::Arc;

use gatepost_intake::pipeline::judge::RecipientDisposition;
use gatepost_message::{Address, Message};
use gatepost_model::{Classification, Effect, Judgement, Routing, Scope};
use gatepost_policy::LookUp;
use gatepost_smtp::Reply;

/// End of a transaction or attempt in a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Refused by the policies, by this reply.
    Refused(Reply),
    /// Judged at the end of data; the word is that of the metrics, and the reason that of a
    /// quarantine.
    Judged(&'static str, Option<String>),
    /// Ended as in the record, and not by policies: by a rule of the relay, or by the client.
    AsRecorded(String),
    /// Goes on where the record ends, because the recorded version refused here.
    BeyondRecord,
    /// Routed, before an attempt.
    Routed(Routing),
    /// Told of the outcome of an attempt.
    Told,
}

impl Ended {
    /// Returns a word for it, as in the metric `gatepost_transactions_total`.
    pub fn word(&self) -> &str {
        match self {
            Self::Refused(reply) if reply.is_permanent() => "reject",
            Self::Refused(_) => "tempfail",
            Self::Judged(word, _) => word,
            Self::AsRecorded(word) => word,
            Self::BeyondRecord => "not refused",
            Self::Routed(_) => "routed",
            Self::Told => "told",
        }
    }
}

/// Look-up that is not in the record, and was answered from the present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLookUp {
    /// Policy that asked.
    pub policy: String,
    /// The look-up.
    pub look_up: LookUp,
}

/// Judgements of one side in the order of the calls, before any edit was dropped.
pub type Trail = Arc<Vec<Judgement>>;

/// Decisions of one side about one entry.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// End.
    pub ended: Ended,
    /// Reply to the client; absent in an attempt, and beyond the record.
    pub reply: Option<Reply>,
    /// Class of the message.
    pub class: Option<Classification>,
    /// Tags in order.
    pub tags: Vec<String>,
    /// Message after the edits of the policies, if it came to that.
    pub message: Option<Message>,
    /// Recipients refused at RCPT by policies, each with its reply.
    pub refused: Vec<(Address, Reply)>,
    /// Recipients of an accepted message.
    pub recipients: Vec<(Address, RecipientDisposition)>,
    /// Effects that would be stored.
    pub effects: Vec<(Scope, Effect)>,
    /// True if the submitter would be told of suppressed recipients.
    pub report_suppressed: bool,
    /// Judgements in order, after dropped edits.
    pub judgements: Vec<Judgement>,
    /// Look-ups that were answered from the present.
    pub unknown: Vec<UnknownLookUp>,
    /// Judgements for the side that shares the calls.
    pub trail: Trail,
}

impl Replayed {
    /// Returns the reply to the client in words; `None` where there is none to tell of: in an attempt, and
    /// beyond the record.
    pub fn reply_in_words(&self) -> Option<String> {
        match (&self.reply, &self.ended) {
            (Some(reply), _) => Some(reply.to_string()),
            (None, Ended::Judged(..)) => Some("accepted".to_owned()),
            (None, Ended::AsRecorded(_)) => Some("as recorded".to_owned()),
            (None, Ended::Refused(_) | Ended::BeyondRecord | Ended::Routed(_) | Ended::Told) => {
                None
            }
        }
    }
}
