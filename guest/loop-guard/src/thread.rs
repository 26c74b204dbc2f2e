//! Depth of a message in its thread: the number of messages before it that no person is known to
//! have written.
//!
//! The depth of each message is kept under its Message-ID, and for those that we send also under
//! the email id; an answer is one deeper than the message that it answers (RFC 5322 section 3.6.4).
//! A new address or subject in each answer does not hide it. Mail of an agent has no depth: the
//! count begins anew behind it.

use gatepost_sdk::header::{InReplyTo, MessageId, References};
use gatepost_sdk::{Decision, Facts, is_ours, our_message_id};

use crate::counts::DAY;
use crate::head::{Field, Head};
use crate::keys::key;

/// Most messages that one may answer.
const MAX_PARENTS: usize = 4;

/// Most bytes of an email id; no relay issues a longer one.
pub const LONGEST_ID: usize = 200;

/// Returns the ids of the messages that this one answers: those in In-Reply-To, else the last of
/// References (RFC 5322 section 3.6.4). Earlier messages of the thread may be anybody's. Where a
/// mail service has given a message of ours another id, ours stands in its place.
pub fn parents(head: &Head<'_>) -> Vec<String> {
    let mut named = named_parents(head);
    for id in &mut named {
        if let Some(ours) = our_message_id(id) {
            *id = ours;
        }
    }
    named
}

fn named_parents(head: &Head<'_>) -> Vec<String> {
    let named: Option<InReplyTo> = head.read(Field::InReplyTo);
    if let Some(InReplyTo(mut named)) = named {
        named.truncate(MAX_PARENTS);
        return named;
    }
    let before: Option<References> = head.read(Field::References);
    let last = before.and_then(|before| before.0.last().cloned());
    last.into_iter().collect()
}

/// Returns the email id in the header section, if it is one of ours.
pub fn email_id(head: &Head<'_>) -> Option<String> {
    let id = head.first(Field::EmailId);
    id.filter(|id| id.len() <= LONGEST_ID && is_ours(id))
}

/// Number of messages above one in its thread that no person is known to have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth(u64);

impl Depth {
    /// Returns the depth of an answer to these messages.
    pub fn of_answer_to(facts: &dyn Facts, parents: &[String]) -> Self {
        let each = parents.iter().map(|id| facts.counted(&thread_key(id), DAY));
        Self(each.max().unwrap_or_default())
    }

    /// Returns true if a message above it is counted.
    pub fn is_known(self) -> bool {
        self.0 > 0
    }

    /// Returns true if the thread comes to `limit` exchanges with this message; never if it is 0.
    pub fn reaches(self, limit: u32) -> bool {
        limit > 0 && self.0.div_ceil(2) >= u64::from(limit)
    }

    /// Keeps the depth of a message under its ids. A known id keeps its depth, since an application
    /// sends one message to many.
    pub fn remember(self, facts: &dyn Facts, ids: &[String], decision: &mut Decision) {
        let depth = u32::try_from(self.0 + 1).unwrap_or(u32::MAX);
        for id in ids {
            let key = thread_key(id);
            if facts.counted(&key, DAY) == 0 {
                decision.count(key, depth);
            }
        }
    }
}

/// Returns the Message-ID of a message.
pub fn message_id(head: &Head<'_>) -> Option<String> {
    let id: Option<MessageId> = head.read(Field::MessageId);
    id.map(|MessageId(id)| id)
}

fn thread_key(id: &str) -> String {
    key(&["thread ", id.trim()])
}
