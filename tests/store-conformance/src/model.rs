//! Random operations, restarts among them, against a model that fits on a page.

use std::collections::BTreeMap;

use gatepost_message::{Millis, TransactionId};
use gatepost_model::Effect;
use gatepost_smtp::dsn;
use gatepost_spool::*;
use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{RngSeed, TestRunner},
};

use crate::{StoreUnderTest, support::*};

/// Seed of the random steps; proptest prints it when a case fails.
const SEED: u64 = 20_261_129;

/// State of a recipient in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Queued(Millis),
    Leased { since: Millis, lease: Lease },
    Held,
    Quarantined,
    Ended(Status),
}

impl State {
    fn due(self) -> Option<Millis> {
        match self {
            Self::Queued(at) => Some(at),
            Self::Leased { lease, .. } => Some(lease.until),
            _ => None,
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Ended(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ComparedMessage {
    quarantine: Option<Millis>,
    recipients: Vec<(State, u32)>,
}

/// Messages in order of arrival, which here is the order of their ids.
#[derive(Debug, Default)]
struct Model {
    messages: BTreeMap<TransactionId, ComparedMessage>,
}

impl Model {
    fn drop_finished(&mut self) {
        self.messages
            .retain(|_, message| !message.recipients.iter().all(|(state, _)| state.is_final()));
    }

    /// Returns the messages that a claim must return, with their due recipients.
    fn due(&self, now: Millis, limit: usize) -> Vec<(TransactionId, Vec<u32>)> {
        let is_due = |state: &State| state.due().is_some_and(|due| due <= now);
        let mut due: Vec<_> = self
            .messages
            .iter()
            .filter_map(|(id, message)| {
                let all = message.recipients.iter().enumerate();
                let chosen: Vec<_> = all.filter(|(_, (state, _))| is_due(state)).collect();
                let first = chosen
                    .iter()
                    .filter_map(|(_, (state, _))| state.due())
                    .min()?;
                Some((
                    first,
                    *id,
                    chosen.iter().map(|(number, _)| *number as u32).collect(),
                ))
            })
            .collect();
        due.sort_by_key(|(first, id, _)| (*first, *id));
        due.truncate(limit);
        due.into_iter()
            .map(|(_, id, chosen)| (id, chosen))
            .collect()
    }

    /// Applies an operator's command; returns how many recipients changed, and how many were in
    /// progress.
    fn intervene(
        &mut self,
        chosen: Option<TransactionId>,
        counts_leased: bool,
        change: impl Fn(State) -> Option<State>,
    ) -> Changed {
        let mut changed = Changed::default();
        let in_queue = |(id, message): &(&TransactionId, &mut ComparedMessage)| {
            message.quarantine.is_none() && chosen.is_none_or(|chosen| chosen == **id)
        };
        for (_, message) in self.messages.iter_mut().filter(in_queue) {
            for (state, _) in &mut message.recipients {
                if let Some(next) = change(*state) {
                    *state = next;
                    changed.changed += 1;
                } else if counts_leased && matches!(state, State::Leased { .. }) {
                    changed.in_progress += 1;
                }
            }
        }
        self.drop_finished();
        changed
    }
}

#[derive(Debug, Clone)]
enum Step {
    Accept {
        recipients: Vec<u8>,
        quarantine: bool,
        large: bool,
    },
    AcceptAgain(Index),
    Claim {
        limit: usize,
    },
    Record {
        claim: Index,
        outcomes: Vec<u8>,
    },
    Retry(Option<Index>),
    Cancel(Option<Index>),
    Hold(Option<Index>),
    Release(Option<Index>),
    QuarantineRelease(Index),
    QuarantineDelete(Index),
    Expire,
    Wait {
        minutes: u64,
    },
    Reopen,
    Crash,
    Compare,
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let index = any::<Index>;
    let chosen = || prop::option::weighted(0.8, any::<Index>());
    prop_oneof![
        6 => (vec(0..4_u8, 1..4), prop::bool::weighted(0.2), prop::bool::weighted(0.1)).prop_map(
            |(recipients, quarantine, large)| Accept { recipients, quarantine, large }
        ),
        1 => index().prop_map(AcceptAgain),
        5 => (1..4_usize).prop_map(|limit| Claim { limit }),
        6 => (index(), vec(0..6_u8, 4)).prop_map(|(claim, outcomes)| Record { claim, outcomes }),
        1 => chosen().prop_map(Retry),
        1 => chosen().prop_map(Cancel),
        1 => chosen().prop_map(Hold),
        1 => chosen().prop_map(Release),
        1 => index().prop_map(QuarantineRelease),
        1 => index().prop_map(QuarantineDelete),
        1 => Just(Expire),
        3 => (1..15_u64).prop_map(|minutes| Wait { minutes }),
        1 => Just(Reopen),
        1 => Just(Crash),
        2 => Just(Compare),
    ]
}

/// A store beside its model; every operation goes to both.
struct Pair<S> {
    store: S,
    model: Model,
    now: Millis,
    owner: Owner,
    /// True if delivery is attached, and claims due mail as soon as it is accepted.
    attached: bool,
    /// All claims ever made, expired ones too.
    claims: Vec<(TransactionId, Lease, Vec<u32>)>,
    ids: Vec<TransactionId>,
}

impl<S: StoreUnderTest> Pair<S> {
    fn new(attached: bool) -> Self {
        let mut pair = Self {
            store: S::open(),
            model: Model::default(),
            now: START,
            owner: Owner::new(),
            attached,
            claims: Vec::new(),
            ids: Vec::new(),
        };
        pair.opened();
        pair
    }

    /// Notes that the store was opened as a new relay: no lease is held any more.
    fn opened(&mut self) {
        self.owner = Owner::new();
        if self.attached {
            self.store.queue().attach(self.owner, LEASE);
        }
        for message in self.model.messages.values_mut() {
            for (state, _) in &mut message.recipients {
                if let State::Leased { since, .. } = *state {
                    *state = State::Queued(since);
                }
            }
        }
        let counters = self.store.counters();
        let counted = counters.counted(&scope(), "k", 86_400, self.now);
        assert_eq!(counted, self.ids.len() as u64, "effects are applied once");
        for id in &self.ids {
            assert!(counters.seen(&scope(), &id.to_string(), START));
        }
    }

    /// Returns an id that was used, or one that never was.
    fn id(&self, index: Index) -> TransactionId {
        match self.ids.as_slice() {
            [] => TransactionId::new(),
            ids => *index.get(ids),
        }
    }

    fn selection(&self, index: Option<Index>) -> (Selection, Option<TransactionId>) {
        let id = index.map(|index| self.id(index));
        (
            Selection {
                id,
                ..Selection::default()
            },
            id,
        )
    }

    fn run(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::Accept {
                recipients,
                quarantine,
                large,
            } => {
                self.accept(&recipients, quarantine, large);
            }
            Step::AcceptAgain(index) => {
                let id = self.id(index);
                if self.model.messages.contains_key(&id) {
                    let again = wait(self.store.queue().accept(message(id, &["bob@a.example"])));
                    assert!(matches!(again, Err(SpoolError::Duplicate(_))), "{again:?}");
                }
            }
            Step::Claim { limit } => self.claim(limit),
            Step::Record { claim, outcomes } => {
                if !self.claims.is_empty() {
                    let (id, lease, numbers) = claim.get(&self.claims).clone();
                    self.record(id, lease, &numbers, &outcomes);
                }
            }
            Step::Retry(index) => {
                let (selection, id) = self.selection(index);
                let expected = self.model.intervene(id, true, |state| match state {
                    State::Queued(_) => Some(State::Queued(now)),
                    _ => None,
                });
                assert_eq!(
                    wait(self.store.admin().retry(selection, now)).unwrap(),
                    expected
                );
            }
            Step::Cancel(index) => {
                let (selection, id) = self.selection(index);
                let expected = self.model.intervene(id, true, |state| match state {
                    State::Queued(_) | State::Held => Some(State::Ended(Status::Cancelled)),
                    _ => None,
                });
                assert_eq!(
                    wait(self.store.admin().cancel(selection, START)).unwrap(),
                    expected
                );
            }
            Step::Hold(index) => {
                let (selection, id) = self.selection(index);
                let expected = self.model.intervene(id, true, |state| match state {
                    State::Queued(_) => Some(State::Held),
                    _ => None,
                });
                assert_eq!(wait(self.store.admin().hold(selection)).unwrap(), expected);
            }
            Step::Release(index) => {
                let (selection, id) = self.selection(index);
                let expected = self.model.intervene(id, false, |state| match state {
                    State::Held => Some(State::Queued(now)),
                    _ => None,
                });
                assert_eq!(
                    wait(self.store.admin().release(selection, now)).unwrap(),
                    expected
                );
            }
            Step::QuarantineRelease(index) => {
                let id = self.id(index);
                let message = self.model.messages.get_mut(&id);
                let message = message.filter(|message| message.quarantine.is_some());
                let released = wait(self.store.admin().quarantine_release(id, now));
                assert_eq!(released.unwrap(), message.is_some());
                if let Some(message) = message {
                    message.quarantine = None;
                    for (state, _) in &mut message.recipients {
                        if *state == State::Quarantined {
                            *state = State::Queued(now);
                        }
                    }
                }
            }
            Step::QuarantineDelete(index) => {
                let id = self.id(index);
                let message = self.model.messages.get(&id);
                let there = message.is_some_and(|message| message.quarantine.is_some());
                assert_eq!(
                    wait(self.store.admin().quarantine_delete(id, START)).unwrap(),
                    there
                );
                if there {
                    self.model.messages.remove(&id);
                }
            }
            Step::Expire => {
                let mut expired = wait(self.store.admin().quarantine_expire(now))
                    .unwrap()
                    .quarantined;
                expired.sort();
                let over = |message: &ComparedMessage| {
                    message.quarantine.is_some_and(|until| until <= now)
                };
                let expected: Vec<_> = self
                    .model
                    .messages
                    .extract_if(.., |_, message| over(message))
                    .map(|(id, _)| id)
                    .collect();
                assert_eq!(expired, expected);
            }
            Step::Wait { minutes: count } => self.now = now + minutes(count),
            Step::Reopen => {
                self.store.reopen();
                self.opened();
            }
            Step::Crash => {
                self.store.crash();
                self.opened();
            }
            Step::Compare => self.compare(),
        }
    }

    fn accept(&mut self, recipients: &[u8], quarantine: bool, large: bool) {
        let id = TransactionId::new();
        let mut new = message(id, &[]);
        new.received_at = self.now;
        new.effects = vec![
            (
                scope(),
                Effect::Count {
                    key: "k".into(),
                    amount: 1,
                },
            ),
            (
                scope(),
                Effect::MarkSeen {
                    key: id.to_string(),
                    seconds: 7 * 86_400,
                },
            ),
        ];
        let mut states = Vec::new();
        for (number, kind) in recipients.iter().enumerate() {
            let quarantined_or = |state| {
                if quarantine {
                    State::Quarantined
                } else {
                    state
                }
            };
            let next_attempt = self.now + minutes(number as u64);
            let (initial, state) = match kind {
                0 | 1 => (
                    InitialState::Queued { next_attempt },
                    quarantined_or(State::Queued(next_attempt)),
                ),
                2 => (InitialState::Held, quarantined_or(State::Held)),
                _ => (
                    InitialState::Suppressed {
                        reason: "why".into(),
                    },
                    State::Ended(Status::Suppressed),
                ),
            };
            let address = address(&format!("user{number}@a.example"));
            new.recipients.push(NewRecipient {
                address,
                dsn: dsn::RecipientRequest::default(),
                state: initial,
            });
            states.push((state, 0));
        }
        let expires = self.now + minutes(30);
        if quarantine {
            new.quarantine = Some(Quarantine {
                reason: "bad".into(),
                expires,
            });
        }
        if large {
            let raw = vec![b'x'; INLINE_LIMIT + 1];
            new.body = stage(self.store.bodies(), id, &raw, raw.len()).body;
        }
        wait(self.store.queue().accept(new)).unwrap();
        self.ids.push(id);
        let message = ComparedMessage {
            quarantine: quarantine.then_some(expires),
            recipients: states,
        };
        let is_due = |(state, _): &(State, u32)| *state == State::Queued(self.now);
        let due = message.recipients.iter().any(is_due);
        self.model.messages.insert(id, message);
        self.model.drop_finished();
        if self.attached && due {
            self.take(id);
        }
    }

    /// Claims the message that was just accepted, which is leased already.
    fn take(&mut self, id: TransactionId) {
        let claims = wait(self.store.queue().claim(self.owner, self.now, 1, LEASE)).unwrap();
        let [claim] = claims.as_slice() else {
            panic!("one message was asked for: {claims:?}");
        };
        assert_eq!(claim.transaction.id, id);
        self.lease(claim);
    }

    fn claim(&mut self, limit: usize) {
        let limit = if self.attached { usize::MAX } else { limit };
        let claims = wait(self.store.queue().claim(self.owner, self.now, limit, LEASE)).unwrap();
        let mut expected = self.model.due(self.now, limit);
        let numbers = |claim: &Claim| claim.recipients.iter().map(|to| to.number).collect();
        let got = claims.iter();
        let mut got: Vec<_> = got
            .map(|claim| (claim.transaction.id, numbers(claim)))
            .collect();
        if self.attached {
            // Messages that are due since the same moment come in any order.
            got.sort();
            expected.sort();
        }
        assert_eq!(got, expected);
        claims.iter().for_each(|claim| self.lease(claim));
    }

    fn lease(&mut self, claim: &Claim) {
        let lease = claim.lease;
        assert!(lease.until >= self.now + LEASE);
        let message = self.model.messages.get_mut(&claim.transaction.id).unwrap();
        let mut numbers = Vec::new();
        for recipient in &claim.recipients {
            let (state, attempts) = &mut message.recipients[recipient.number as usize];
            assert_eq!(recipient.attempts, *attempts);
            *state = State::Leased {
                since: self.now,
                lease,
            };
            numbers.push(recipient.number);
        }
        self.claims.push((claim.transaction.id, lease, numbers));
    }

    fn record(&mut self, id: TransactionId, lease: Lease, numbers: &[u32], outcomes: &[u8]) {
        let mut results = Vec::new();
        let mut expected = Recorded::default();
        let message = self.model.messages.get_mut(&id);
        let mut recipients = message.map(|message| &mut message.recipients);
        let mut nothing = (State::Held, 0);
        for (number, outcome) in numbers.iter().zip(outcomes) {
            let next_attempt = self.now + minutes(3);
            let (outcome, next, attempt) = match outcome {
                0 | 1 => (delivered(), State::Ended(Status::Delivered), 1),
                2 => (failed(), State::Ended(Status::Failed), 1),
                3 => (deferred(next_attempt), State::Queued(next_attempt), 1),
                4 => (returned(next_attempt), State::Queued(next_attempt), 0),
                _ => continue,
            };
            results.push(RecipientResult::of(*number, outcome));
            let (state, attempts) = match &mut recipients {
                Some(recipients) => &mut recipients[*number as usize],
                None => &mut nothing,
            };
            if matches!(state, State::Leased { lease: held, .. } if *held == lease) {
                *state = next;
                *attempts += attempt;
                expected.applied += 1;
            } else {
                expected.ignored += 1;
            }
        }
        let before = self.model.messages.len();
        self.model.drop_finished();
        expected.finished = self.model.messages.len() < before;
        let report = Report {
            lease,
            message: id,
            results,
            notices: Vec::new(),
            keep_until: None,
        };
        assert_eq!(wait(self.store.queue().record(report)).unwrap(), expected);
    }

    fn compare(&self) {
        let all = Filter {
            limit: usize::MAX,
            ..Filter::default()
        };
        let mut found = wait(self.store.admin().list(all.clone())).unwrap();
        let (queue, depth) = (found.len(), wait(self.store.admin().depth()).unwrap());
        found.extend(wait(self.store.admin().quarantine_list(all)).unwrap());
        assert_eq!(
            (depth.messages, depth.quarantined),
            (queue as u64, (found.len() - queue) as u64)
        );
        let stored: BTreeMap<_, _> = found
            .into_iter()
            .map(|it| (it.id, compared_message(it)))
            .collect();
        let expected: BTreeMap<_, _> = self
            .model
            .messages
            .iter()
            .map(|(id, it)| (*id, comparable(it)))
            .collect();
        assert_eq!(stored, expected);
        let states = self
            .model
            .messages
            .values()
            .flat_map(|message| &message.recipients);
        let due = states.filter_map(|(state, _)| state.due()).min();
        assert_eq!(wait(self.store.queue().next_due()).unwrap(), due);
    }
}

fn scope() -> Scope {
    Scope {
        policy: "loop-guard".into(),
        account: None,
    }
}

/// Comparable part of a message: the end of its quarantine; for each recipient status, due time and
/// attempts.
type Comparable = (Option<Millis>, Vec<(Status, Option<Millis>, u32)>);

fn compared_message(summary: Summary) -> Comparable {
    let recipients = summary.recipients.iter().map(|recipient| {
        let due = match &recipient.state {
            RecipientState::Queued { next_attempt } => Some(*next_attempt),
            RecipientState::Leased { until, .. } => Some(*until),
            _ => None,
        };
        (recipient.state.status(), due, recipient.attempts)
    });
    (
        summary.quarantine.map(|quarantine| quarantine.expires),
        recipients.collect(),
    )
}

fn comparable(message: &ComparedMessage) -> Comparable {
    let recipients = message.recipients.iter().map(|(state, attempts)| {
        let status = match state {
            State::Queued(_) => Status::Queued,
            State::Leased { .. } => Status::Leased,
            State::Held => Status::Held,
            State::Quarantined => Status::Quarantined,
            State::Ended(status) => *status,
        };
        (status, state.due(), *attempts)
    });
    (message.quarantine, recipients.collect())
}

/// Runs random steps on a store and on the model.
pub fn the_store_does_what_the_model_does<S: StoreUnderTest>() {
    let config = ProptestConfig {
        cases: 40,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let steps = (vec(step(), 1..60), any::<bool>());
    let run = |(steps, attached): (Vec<Step>, bool)| {
        compare::<S>(steps, attached);
        Ok(())
    };
    TestRunner::new(config).run(&steps, run).unwrap();
}

fn compare<S: StoreUnderTest>(steps: Vec<Step>, attached: bool) {
    let mut pair = Pair::<S>::new(attached);
    for step in steps {
        pair.run(step);
        // With delivery attached, a listing would checkpoint everything each time.
        if !attached {
            pair.compare();
        }
    }
    pair.compare();
    // What is in the body store belongs to stored messages. The last bodies are removed after the
    // operation is answered, and before the store is closed.
    pair.run(Step::Wait { minutes: 1 });
    pair.run(Step::Expire);
    for id in pair.store.close() {
        assert!(pair.model.messages.contains_key(&id), "{id} is left");
    }
}
