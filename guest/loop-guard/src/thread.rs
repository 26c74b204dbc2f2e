//! How deep in a thread a message is: how many before it no person is known to have written.
//!
//! The depth of each message is kept under its Message-ID, and of what we send also under its email
//! id; an answer is one deeper than what it answers (RFC 5322 section 3.6.4). A new address or
//! subject in each answer does not hide it. What an agent writes has no depth: from there on all
//! begins anew.

use gatepost_sdk::header::{InReplyTo, MessageId, References};
use gatepost_sdk::{Decision, Facts, is_ours};

use crate::counts::DAY;
use crate::head::{Field, Head};
use crate::keys::key;

/// How many messages one may be in answer to, at most.
const PARENTS: usize = 4;

/// No id that a relay issues is longer.
pub const LONGEST_ID: usize = 200;

/// What a message is in answer to: what In-Reply-To names, else the last of References (RFC 5322
/// section 3.6.4). What stands before that in the thread may be anybody's.
pub fn parents(head: &Head<'_>) -> Vec<String> {
    let named: Option<InReplyTo> = head.read(Field::InReplyTo);
    if let Some(InReplyTo(mut named)) = named {
        named.truncate(PARENTS);
        return named;
    }
    let before: Option<References> = head.read(Field::References);
    let last = before.and_then(|before| before.0.last().cloned());
    last.into_iter().collect()
}

/// The email id of a message of ours, where its field has come back.
pub fn email_id(head: &Head<'_>) -> Option<String> {
    let id = head.first(Field::EmailId);
    id.filter(|id| id.len() <= LONGEST_ID && is_ours(id))
}

/// The place of a message in its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth(u64);

impl Depth {
    /// Depth of what is in answer to these.
    pub fn below(facts: &dyn Facts, parents: &[String]) -> Self {
        let each = parents.iter().map(|id| facts.counted(&thread(id), DAY));
        Self(each.max().unwrap_or_default())
    }

    /// Whether anything before it is counted.
    pub fn is_known(self) -> bool {
        self.0 > 0
    }

    /// Whether it is the end of so many exchanges; never where the limit is 0.
    pub fn reaches(self, limit: u32) -> bool {
        limit > 0 && self.0.div_ceil(2) >= u64::from(limit)
    }

    /// Keeps the depth of a message under its ids. An id that is known already keeps the depth that
    /// it has: an application sends one message to many.
    pub fn keep(self, facts: &dyn Facts, ids: &[String], decision: &mut Decision) {
        let depth = u32::try_from(self.0 + 1).unwrap_or(u32::MAX);
        for id in ids {
            let key = thread(id);
            if facts.counted(&key, DAY) == 0 {
                decision.count(key, depth);
            }
        }
    }
}

/// The Message-ID of a message.
pub fn message_id(head: &Head<'_>) -> Option<String> {
    let id: Option<MessageId> = head.read(Field::MessageId);
    id.map(|MessageId(id)| id)
}

fn thread(id: &str) -> String {
    key(&["thread ", id.trim()])
}
