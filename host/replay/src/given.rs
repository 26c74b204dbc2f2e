//! Gives each call the answers of the record, and what another side has found already.

use std::sync::Arc;

use gatepost_model::Judgement;
use gatepost_policy::{Answered, GivenAnswers, PolicyContext, Recorder, Version};
use gatepost_record::{RecordEntry, RecordedCall};
use parking_lot::Mutex;

use crate::recorded::ReplayEntry;
use crate::replayed::{Trail, UnknownLookUp};

/// Point of the entry whose questions are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Connect,
    Sender,
    Recipient(usize),
    Message,
    Attempt,
}

/// Watches the chain of one side.
pub(crate) struct Giver {
    entry: Arc<RecordEntry>,
    /// Answers of all calls of the entry.
    all: Arc<[Arc<Vec<Answered>>]>,
    /// Judgements of the record, for the side that begins.
    recorded: Arc<Vec<Judgement>>,
    /// Judgements of the other side.
    other: Option<Trail>,
    state: Mutex<GiverState>,
}

struct GiverState {
    at: At,
    given: Option<(String, GivenAnswers)>,
    unknown: Vec<UnknownLookUp>,
    trail: Vec<Judgement>,
    /// True while both sides have decided the same; of the side that begins, while it has decided as the
    /// record has.
    is_alike: bool,
}

impl Giver {
    pub(crate) fn new(recorded: &ReplayEntry, other: Option<Trail>) -> Self {
        let entry = Arc::clone(&recorded.entry);
        let all = all_calls(&entry).map(|call| Arc::clone(&call.answers));
        Self {
            all: all.collect(),
            entry,
            recorded: Arc::clone(&recorded.judgements),
            other,
            state: Mutex::new(GiverState {
                at: At::Connect,
                given: None,
                unknown: Vec::new(),
                trail: Vec::new(),
                is_alike: true,
            }),
        }
    }

    /// Puts the questions of this point next.
    pub(crate) fn at(&self, at: At) {
        self.state.lock().at = at;
    }

    /// Returns what came about: the look-ups without an answer in the record, and the judgements.
    pub(crate) fn take(&self) -> (Vec<UnknownLookUp>, Vec<Judgement>) {
        let mut state = self.state.lock();
        (
            std::mem::take(&mut state.unknown),
            std::mem::take(&mut state.trail),
        )
    }
}

/// Returns the calls of an entry at one point.
pub(crate) fn calls(entry: &RecordEntry, at: At) -> &[RecordedCall] {
    let found = match (entry, at) {
        (RecordEntry::Transaction(of), At::Connect) => of.connect.as_ref().map(|of| &of.calls),
        (RecordEntry::Transaction(of), At::Sender) => of.sender.as_ref().map(|of| &of.calls),
        (RecordEntry::Transaction(of), At::Recipient(number)) => {
            of.recipients.get(number).map(|of| &of.calls)
        }
        (RecordEntry::Transaction(of), At::Message) => of.message.as_ref().map(|of| &of.calls),
        (RecordEntry::Attempt(of), At::Attempt) => Some(&of.calls),
        (RecordEntry::Transaction(_), At::Attempt) | (RecordEntry::Attempt(_), _) => None,
    };
    found.map_or(&[], Vec::as_slice)
}

/// Returns the calls of an entry in their order.
pub(crate) fn all_calls(entry: &RecordEntry) -> impl Iterator<Item = &RecordedCall> {
    let recipients = match entry {
        RecordEntry::Transaction(of) => of.recipients.len(),
        RecordEntry::Attempt(_) => 0,
    };
    [At::Connect, At::Sender]
        .into_iter()
        .chain((0..recipients).map(At::Recipient))
        .chain([At::Message, At::Attempt])
        .flat_map(|at| calls(entry, at))
}

impl Recorder for Giver {
    fn sources(&self, version: &Version, present: &PolicyContext) -> PolicyContext {
        let mut state = self.state.lock();
        let mut calls = calls(&self.entry, state.at).iter();
        let own = calls.find(|call| call.policy == version.name());
        let own = own.map_or_else(Arc::default, |call| Arc::clone(&call.answers));
        let given = GivenAnswers::new(own, Arc::clone(&self.all));
        let sources = given.before(present);
        state.given = Some((version.name().to_owned(), given));
        sources
    }

    fn known(&self, version: &Arc<Version>) -> Option<Judgement> {
        let state = self.state.lock();
        let known = match &self.other {
            _ if !state.is_alike => None,
            Some(other) => other.get(state.trail.len()),
            // A fault may have been one of that moment.
            None => (self.recorded.get(state.trail.len())).filter(|known| known.error.is_none()),
        };
        let known = known?;
        (known.policy == version.name() && known.digest == version.digest()).then(|| known.clone())
    }

    fn judged(&self, judgement: &Judgement) {
        let mut state = self.state.lock();
        if let Some((policy, given)) = state.given.take() {
            let unknown = given.take_unknown().into_iter();
            let unknown = unknown.map(|look_up| UnknownLookUp {
                policy: policy.clone(),
                look_up,
            });
            state.unknown.extend(unknown);
        }
        let other = self.other.as_ref().unwrap_or(&self.recorded);
        let other = other.get(state.trail.len());
        state.is_alike &= other.is_some_and(|other| is_alike(other, judgement));
        state.trail.push(judgement.clone());
    }
}

/// Returns true if two calls have decided the same, whatever their versions are.
pub(crate) fn is_alike(a: &Judgement, b: &Judgement) -> bool {
    a.policy == b.policy
        && a.hook == b.hook
        && a.verdict == b.verdict
        && a.routing == b.routing
        && a.decision == b.decision
        && a.error == b.error
}
