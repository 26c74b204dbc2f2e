//! The budget of a transaction: bounds on the requests of all its calls together.
//!
//! The limits of a call hold for each call. But a transaction with a thousand recipients makes a
//! thousand calls of each policy, and their decisions are kept until its end, recorded, and written
//! in one commit. So all requests that are kept are counted over the whole transaction; a call that
//! exceeds the budget is a fault.

use std::collections::HashMap;

use gatepost_message::{Edit, Message};
use parking_lot::{Mutex, MutexGuard};

use crate::version::Hook;

/// Size of all decisions in bytes, with [`ENTRY_COST`] more for each entry.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// Number of these bytes that may be reasons. Reasons beyond it are dropped, which is no fault.
pub(crate) const MAX_REASON_BYTES: usize = 256 << 10;

/// Number of effects: loop-guard asks for about a dozen for each recipient.
pub(crate) const MAX_EFFECTS: usize = 4000;

/// Number of changes to the header section.
pub(crate) const MAX_EDITS: usize = 1000;

/// Number of fields that no later policy may touch.
pub(crate) const MAX_PROTECTED: usize = 200;

/// Number of tags.
pub(crate) const MAX_TAGS: usize = 100;

/// Running time of all calls of one policy before the end of data, in deadlines of one call.
pub(crate) const MAX_DEADLINES: u32 = 100;

/// Bytes that are counted for an entry besides its texts.
const ENTRY_COST: usize = 16;

/// Sizes to which edits may make a message grow: those that a client may hand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Size of the header section, in bytes.
    pub header: u64,
    /// Size of the whole message, in bytes.
    pub message: u64,
}

impl Default for Sizes {
    /// Returns sizes without a bound.
    fn default() -> Self {
        Self {
            header: u64::MAX,
            message: u64::MAX,
        }
    }
}

impl Sizes {
    /// Returns true if edits may turn `before` into `after`. A message that is too large already
    /// may stay so: it came so, or the relay's own fields made it so.
    pub(crate) fn allow(&self, before: &Message, after: &Message) -> bool {
        let head = |message: &Message| message.head().len() as u64;
        head(after) <= self.header.max(head(before))
            && after.size() <= self.message.max(before.size())
    }

    /// Refuses edits that make the message too large.
    pub(crate) fn check(&self, message: &Message, edits: &[Edit]) -> Result<(), String> {
        let added: usize = edits.iter().map(Edit::octets).sum();
        let (head, whole) = (message.head().len() + added, message.size() + added as u64);
        // Nearly always there is room enough without counting the fields that the edits remove.
        if (head as u64) <= self.header && whole <= self.message {
            return Ok(());
        }
        match self.allow(message, &message.edited(edits)) {
            true => Ok(()),
            false => Err(format!(
                "its edits make the message larger than it may be: {} octets of header section, \
                 {} in all",
                self.header, self.message
            )),
        }
    }
}

/// Rest of a transaction's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    bytes: usize,
    reasons: usize,
    effects: usize,
    edits: usize,
    protected: usize,
    tags: usize,
}

impl Default for Allowance {
    /// Returns the whole budget.
    fn default() -> Self {
        Self {
            bytes: MAX_BYTES,
            reasons: MAX_REASON_BYTES,
            effects: MAX_EFFECTS,
            edits: MAX_EDITS,
            protected: MAX_PROTECTED,
            tags: MAX_TAGS,
        }
    }
}

impl Allowance {
    fn take_bytes(&mut self, bytes: usize) -> Option<()> {
        self.bytes = self.bytes.checked_sub(bytes + ENTRY_COST)?;
        Some(())
    }

    pub(crate) fn reason(&mut self, bytes: usize) -> Option<()> {
        self.reasons = self.reasons.checked_sub(bytes + ENTRY_COST)?;
        self.take_bytes(bytes)
    }

    pub(crate) fn effect(&mut self, bytes: usize) -> Option<()> {
        self.effects = self.effects.checked_sub(1)?;
        self.take_bytes(bytes)
    }

    pub(crate) fn edit(&mut self, bytes: usize) -> Option<()> {
        self.edits = self.edits.checked_sub(1)?;
        self.take_bytes(bytes)
    }

    pub(crate) fn protected(&mut self, bytes: usize) -> Option<()> {
        self.protected = self.protected.checked_sub(1)?;
        self.take_bytes(bytes)
    }

    pub(crate) fn tag(&mut self, bytes: usize) -> Option<()> {
        self.tags = self.tags.checked_sub(1)?;
        self.take_bytes(bytes)
    }

    pub(crate) fn recipient(&mut self, bytes: usize) -> Option<()> {
        self.take_bytes(bytes)
    }

    /// Describes the exceeded budget, for the fault.
    pub(crate) fn exceeded() -> String {
        format!(
            "with the calls before it, it asks for more than a transaction may have: {MAX_BYTES} \
             octets, {MAX_EFFECTS} effects, {MAX_EDITS} edits, {MAX_PROTECTED} protected fields, \
             {MAX_TAGS} tags"
        )
    }
}

/// Budget of one transaction, shared by its calls.
#[derive(Debug, Default)]
pub(crate) struct Budget(Mutex<Usage>);

#[derive(Debug, Default)]
struct Usage {
    left: Allowance,
    /// Ticks for which the calls of each version ran before the end of data, by its digest.
    ticks: HashMap<String, u32>,
}

impl Budget {
    /// Returns the rest for the next call.
    pub(crate) fn left(&self) -> Allowance {
        self.lock().left
    }

    /// Returns true if the calls of this version before the end of data have used up their time.
    pub(crate) fn is_out_of_time(&self, version: &str, hook: Hook, ticks: u32) -> bool {
        is_before_data(hook)
            && (self.lock().ticks.get(version)).is_some_and(|spent| *spent >= ticks)
    }

    /// Counts the running time of a call.
    pub(crate) fn add_time(&self, version: &str, hook: Hook, ticks: u32) {
        if ticks > 0 && is_before_data(hook) {
            let mut spent = self.lock();
            let total = spent.ticks.entry(version.to_owned()).or_default();
            *total = total.saturating_add(ticks);
        }
    }

    /// Stores the rest that a successful call has left.
    pub(crate) fn set_left(&self, left: Allowance) {
        self.lock().left = left;
    }

    fn lock(&self) -> MutexGuard<'_, Usage> {
        self.0.lock()
    }
}

fn is_before_data(hook: Hook) -> bool {
    matches!(hook, Hook::Connect | Hook::Sender | Hook::Recipient)
}
