//! What all calls of one transaction together may ask for.
//!
//! The limits of a call hold for each; but a transaction with a thousand recipients makes a
//! thousand calls of each policy, and what they answer is kept until its end, put on record, and
//! written in one commit. So what is kept is counted over the whole transaction, and what goes
//! beyond is a fault of the call that asks for it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_message::{Edit, Message};

use crate::version::Hook;

/// Octets of all decisions, each entry counted with [`ENTRY`] more.
pub(crate) const OCTETS: usize = 1 << 20;

/// Octets of these that may be reasons. What goes beyond is not kept, and no fault.
pub(crate) const REASONS: usize = 256 << 10;

/// Things to remember: loop-guard counts about a dozen for each recipient.
pub(crate) const EFFECTS: usize = 4000;

/// Changes to the header section.
pub(crate) const EDITS: usize = 1000;

/// Names of fields that no later policy may touch.
pub(crate) const PROTECTED: usize = 200;

/// Tags.
pub(crate) const TAGS: usize = 100;

/// Before the end of data, the calls of one policy may run for so many of its deadlines.
pub(crate) const DEADLINES: u32 = 100;

/// What an entry is taken to cost besides its texts.
const ENTRY: usize = 16;

/// The largest that edits may make a message: what a client may hand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Octets of the header section.
    pub header: u64,
    /// Octets of the whole message.
    pub message: u64,
}

impl Default for Sizes {
    /// No bound.
    fn default() -> Self {
        Self {
            header: u64::MAX,
            message: u64::MAX,
        }
    }
}

impl Sizes {
    /// Whether edits of `before` may end in `after`. What is too large already may stay so: it
    /// came so, or the relay's own fields have made it so.
    pub(crate) fn hold(&self, before: &Message, after: &Message) -> bool {
        let head = |message: &Message| message.head().len() as u64;
        head(after) <= self.header.max(head(before))
            && after.size() <= self.message.max(before.size())
    }

    /// What is wrong with these edits of the message, if they make it too large.
    pub(crate) fn check(&self, message: &Message, edits: &[Edit]) -> Result<(), String> {
        let added: usize = edits.iter().map(Edit::octets).sum();
        let (head, whole) = (message.head().len() + added, message.size() + added as u64);
        // Nearly always there is room enough whatever the edits take away.
        if (head as u64) <= self.header && whole <= self.message {
            return Ok(());
        }
        match self.hold(message, &message.edited(edits)) {
            true => Ok(()),
            false => Err(format!(
                "its edits make the message larger than it may be: {} octets of header section, \
                 {} in all",
                self.header, self.message
            )),
        }
    }
}

/// How much of a transaction's budget is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    octets: usize,
    reasons: usize,
    effects: usize,
    edits: usize,
    protected: usize,
    tags: usize,
}

impl Default for Allowance {
    /// The whole budget.
    fn default() -> Self {
        Self {
            octets: OCTETS,
            reasons: REASONS,
            effects: EFFECTS,
            edits: EDITS,
            protected: PROTECTED,
            tags: TAGS,
        }
    }
}

impl Allowance {
    fn octets(&mut self, octets: usize) -> Option<()> {
        self.octets = self.octets.checked_sub(octets + ENTRY)?;
        Some(())
    }

    pub(crate) fn reason(&mut self, octets: usize) -> Option<()> {
        self.reasons = self.reasons.checked_sub(octets + ENTRY)?;
        self.octets(octets)
    }

    pub(crate) fn effect(&mut self, octets: usize) -> Option<()> {
        self.effects = self.effects.checked_sub(1)?;
        self.octets(octets)
    }

    pub(crate) fn edit(&mut self, octets: usize) -> Option<()> {
        self.edits = self.edits.checked_sub(1)?;
        self.octets(octets)
    }

    pub(crate) fn protected(&mut self, octets: usize) -> Option<()> {
        self.protected = self.protected.checked_sub(1)?;
        self.octets(octets)
    }

    pub(crate) fn tag(&mut self, octets: usize) -> Option<()> {
        self.tags = self.tags.checked_sub(1)?;
        self.octets(octets)
    }

    pub(crate) fn recipient(&mut self, octets: usize) -> Option<()> {
        self.octets(octets)
    }

    /// What the guest has passed, for the record.
    pub(crate) fn exceeded() -> String {
        format!(
            "with the calls before it, it asks for more than a transaction may have: {OCTETS} \
             octets, {EFFECTS} effects, {EDITS} edits, {PROTECTED} protected fields, {TAGS} tags"
        )
    }
}

/// What the calls of one transaction have used.
#[derive(Debug, Default)]
pub(crate) struct Budget(Mutex<Spent>);

#[derive(Debug, Default)]
struct Spent {
    left: Allowance,
    /// Ticks that the calls of each policy have run for, before the end of data.
    ticks: HashMap<String, u32>,
}

impl Budget {
    /// What is left for the next call.
    pub(crate) fn left(&self) -> Allowance {
        self.lock().left
    }

    /// Whether the calls of this policy before the end of data have had their time.
    pub(crate) fn has_no_time(&self, policy: &str, hook: Hook, ticks: u32) -> bool {
        is_before_data(hook) && (self.lock().ticks.get(policy)).is_some_and(|spent| *spent >= ticks)
    }

    /// Counts the time of a call.
    pub(crate) fn ran(&self, policy: &str, hook: Hook, ticks: u32) {
        if ticks > 0 && is_before_data(hook) {
            let mut spent = self.lock();
            let of = spent.ticks.entry(policy.to_owned()).or_default();
            *of = of.saturating_add(ticks);
        }
    }

    /// A call that is kept has left so much.
    pub(crate) fn keep(&self, left: Allowance) {
        self.lock().left = left;
    }

    fn lock(&self) -> MutexGuard<'_, Spent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_before_data(hook: Hook) -> bool {
    matches!(hook, Hook::Connect | Hook::Sender | Hook::Recipient)
}
