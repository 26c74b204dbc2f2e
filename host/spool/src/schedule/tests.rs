//! The schedule against a naive one that looks at everything, and its fairness and size.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use gatepost_message::{Message, ReversePath, TransactionId};
use gatepost_model::{Destination, Flow, Plan, Route, Session, Transaction, Transport};
use gatepost_smtp::dsn;
use proptest::{collection::vec, prelude::*, test_runner::RngSeed, test_runner::TestRunner};

use super::*;
use crate::{AttemptOutcome, ClaimedRecipient, RecipientResult, SenderProof};

/// Seed of the random steps; proptest prints it when a case fails.
const SEED: u64 = 20_261_130;

const LEASE: Duration = Duration::from_secs(60);

fn key(number: u8) -> DestinationKey {
    DestinationKey::new(&format!("mx:{number}.example"))
}

fn account(number: u8) -> Option<String> {
    (number > 0).then(|| format!("account {number}"))
}

fn waiting(due: u64, attention_at: u64, of: u8, destination: Option<u8>) -> WaitingPlace {
    WaitingPlace {
        due: Millis(due),
        attention_at: Millis(attention_at),
        account: account(of),
        destination: destination.map(key),
    }
}

/// Makes a claim of one recipient, and the report that returns it.
fn set_aside(key: Key, lease: Lease, waits: &WaitingPlace, to: u8) -> (Claim, Report) {
    let (message, number) = key;
    let route = Route {
        plan: Plan {
            steps: Vec::new(),
            send_as: None,
            expire_after: None,
            holds_for: None,
        },
        step: 0,
        destination: Destination::Mx {
            domain: format!("{to}.example"),
            egress: None,
        },
        stamp: String::new(),
        holds_until: None,
        failures: 0,
        since: None,
    };
    let result = RecipientResult {
        number,
        outcome: AttemptOutcome::Returned {
            next_attempt: waits.due,
            reply: None,
            server: None,
        },
        route: Some(route),
        attention_at: Some(waits.attention_at),
        ledger: crate::Ledger::default(),
    };
    let report = Report {
        lease,
        message,
        results: vec![result],
        notices: Vec::new(),
        keep_until: None,
    };
    let recipient = ClaimedRecipient {
        number,
        address: "bob@a.example".parse().unwrap(),
        dsn: dsn::RecipientRequest::default(),
        delay_told: false,
        attempts: 0,
        last_reply: None,
        last_server: None,
        route: None,
        cause: ClaimCause::Due,
    };
    let claim = Claim {
        lease,
        transaction: Transaction {
            id: message,
            time: Millis(0),
            session: Session {
                listener: "submission".to_owned(),
                flow: Flow::Submission,
                transport: Transport::Own,
                client: None,
                helo: None,
                tls: None,
                user: None,
            },
            account: None,
            reverse_path: ReversePath::Null,
            recipients: vec![recipient.address.clone()],
        },
        smtputf8: false,
        dsn: dsn::MessageRequest::default(),
        sender: SenderProof::Unproved,
        message: Message::from_parts(Bytes::new(), std::sync::Arc::new(Bytes::new())),
        metadata: None,
        tags: Vec::new(),
        classification: None,
        received_at: Millis(0),
        expires_at: NEVER,
        recipients: vec![recipient],
    };
    (claim, report)
}

/// A recipient of the naive schedule.
#[derive(Debug, Clone)]
struct Naive {
    waiting: WaitingPlace,
    lease: Option<NaiveLease>,
}

#[derive(Debug, Clone)]
struct NaiveLease {
    lease: Lease,
    at: Millis,
    /// Destination at which it is in hand; `Some(None)` is that of recipients without a route.
    in_hand: Option<Option<DestinationKey>>,
}

/// All recipients in one map, and the paces.
#[derive(Debug, Default)]
struct Model {
    recipients: BTreeMap<Key, Naive>,
    paces: BTreeMap<DestinationKey, Pace>,
    /// Recipients whose claim waits in memory, with the lease and the time of the claim.
    set_aside: BTreeMap<TransactionId, (u32, Lease, Millis)>,
    /// Time that must be left of a lease.
    enough: Duration,
}

impl Model {
    fn pace(&self, destination: &Option<DestinationKey>) -> Pace {
        let set = destination.as_ref().and_then(|key| self.paces.get(key));
        set.copied().unwrap_or_default()
    }

    fn in_hand(&self, destination: &Option<DestinationKey>) -> BTreeSet<(TransactionId, Millis)> {
        let leased = self.recipients.iter();
        let leased = leased.filter_map(|(key, naive)| Some((key, naive.lease.as_ref()?)));
        leased
            .filter(|(_, lease)| lease.in_hand.as_ref() == Some(destination))
            .map(|(key, lease)| (key.0, lease.lease.until))
            .collect()
    }

    fn has_room(&self, destination: &Option<DestinationKey>) -> bool {
        (self.in_hand(destination).len() as u64) < u64::from(self.pace(destination).in_hand)
    }

    fn is_open(&self, destination: &Option<DestinationKey>, now: Millis) -> bool {
        self.has_room(destination) && self.pace(destination).not_before <= now
    }

    fn cause(&self, naive: &Naive, now: Millis) -> Option<ClaimCause> {
        let is_open = self.is_open(&naive.waiting.destination, now);
        match () {
            () if naive.lease.is_some() => None,
            () if is_open && naive.waiting.due <= now => Some(ClaimCause::Due),
            () if naive.waiting.attention_at <= now => Some(ClaimCause::Attention),
            () => None,
        }
    }

    fn next_due(&self) -> Option<Millis> {
        let times = self.recipients.values().map(|naive| match &naive.lease {
            Some(lease) => lease.lease.until,
            None => {
                let destination = &naive.waiting.destination;
                let paced = naive.waiting.due.max(self.pace(destination).not_before);
                let room = self.has_room(destination);
                let due = if room { paced } else { NEVER };
                due.min(naive.waiting.attention_at)
            }
        });
        let stale = self
            .set_aside
            .values()
            .map(|(_, lease, _)| self.stale(*lease));
        times.chain(stale).min().filter(|time| *time != NEVER)
    }

    /// Returns the time from which a claim of that lease, set aside, is stale.
    fn stale(&self, lease: Lease) -> Millis {
        Millis(lease.until.0 - self.enough.as_millis() as u64)
    }

    fn is_kept(&self, key: &Key) -> bool {
        (self.set_aside.get(&key.0)).is_some_and(|(number, ..)| *number == key.1)
    }

    /// Leases the recipient of a claim set aside that goes back to the store.
    fn take_back(&mut self, message: TransactionId) {
        let (number, lease, at) = self.set_aside.remove(&message).unwrap();
        let naive = self.recipients.get_mut(&(message, number)).unwrap();
        let in_hand = None;
        naive.lease = Some(NaiveLease { lease, at, in_hand });
    }

    fn end_leases(&mut self, now: Millis) {
        for naive in self.recipients.values_mut() {
            if let Some(lease) = &naive.lease
                && lease.lease.until <= now
            {
                naive.waiting.due = lease.lease.until;
                naive.lease = None;
            }
        }
    }

    /// Checks that a pick is all that can be claimed of a message at a destination, and leases it.
    fn take(&mut self, pick: &Pick, lease: Lease, now: Millis) -> (Option<DestinationKey>, bool) {
        let first = &self.recipients[&(pick.message, pick.recipients[0].0)];
        let destination = first.waiting.destination.clone();
        let of_message = self.recipients.iter();
        let expected: Vec<_> = of_message
            .filter(|(key, naive)| {
                key.0 == pick.message
                    && naive.waiting.destination == destination
                    && !self.is_kept(key)
            })
            .filter_map(|(key, naive)| Some((key.1, self.cause(naive, now)?)))
            .collect();
        assert_eq!(pick.recipients, expected);
        for (number, cause) in &pick.recipients {
            let naive = self.recipients.get_mut(&(pick.message, *number)).unwrap();
            let in_hand = (*cause == ClaimCause::Due).then(|| destination.clone());
            let at = now;
            naive.lease = Some(NaiveLease { lease, at, in_hand });
        }
        let due = (pick.recipients.iter()).any(|(_, cause)| *cause == ClaimCause::Due);
        (destination, due)
    }

    /// Returns the destinations and accounts that still have a message to be claimed.
    fn ready(&self, now: Millis) -> BTreeSet<(Option<DestinationKey>, Option<String>)> {
        let recipients = self.recipients.values();
        recipients
            .filter(|naive| self.cause(naive, now) == Some(ClaimCause::Due))
            .map(|naive| {
                (
                    naive.waiting.destination.clone(),
                    naive.waiting.account.clone(),
                )
            })
            .collect()
    }

    fn admits(
        &self,
        message: TransactionId,
        lease: Lease,
        to: &DestinationKey,
        now: Millis,
    ) -> bool {
        let to = Some(to.clone());
        let in_hand = self.in_hand(&to);
        let due = self.recipients.iter().filter(|(_, naive)| {
            naive.lease.is_none() && naive.waiting.destination == to && naive.waiting.due <= now
        });
        // Messages are counted in the order in which they are due, account by account.
        let mut due: Vec<_> = due
            .map(|(key, naive)| {
                (
                    naive.waiting.account.clone(),
                    naive.waiting.due,
                    key.0,
                    key.1,
                )
            })
            .collect();
        due.sort();
        due.dedup_by_key(|(.., message, _)| *message);
        let room = u64::from(self.pace(&to).in_hand).saturating_sub(in_hand.len() as u64);
        let is_in = in_hand.contains(&(message, lease.until));
        is_in || (self.is_open(&to, now) && (due.len() as u64) < room)
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// A message with recipients at destinations, each due after so long.
    Arrive(u8, Vec<(Option<u8>, u64, u64)>, bool),
    Claim(usize),
    /// A claim that cannot be stored.
    ClaimInVain(usize),
    Enter(prop::sample::Index, u8),
    Return(prop::sample::Index, Option<u8>, u64, u64),
    /// A claim that is to wait in memory.
    SetAside(prop::sample::Index, u8, u64, u64),
    End(prop::sample::Index),
    Gone(prop::sample::Index),
    Pace(u8, u32, u64),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let index = any::<prop::sample::Index>;
    let to = || prop::option::weighted(0.8, 0..4_u8);
    let recipients = || vec((to(), 0..20_u64, 0..60_u64), 1..4);
    prop_oneof![
        6 => (0..4_u8, recipients(), prop::bool::weighted(0.2))
            .prop_map(|(account, to, leased)| Arrive(account, to, leased)),
        5 => (1..9_usize).prop_map(Claim),
        1 => (1..4_usize).prop_map(ClaimInVain),
        3 => (index(), 0..4_u8).prop_map(|(which, to)| Enter(which, to)),
        4 => (index(), to(), 0..20_u64, 0..60_u64)
            .prop_map(|(which, to, due, attention)| Return(which, to, due, attention)),
        4 => (index(), 0..4_u8, 0..20_u64, 0..60_u64)
            .prop_map(|(which, to, due, attention)| SetAside(which, to, due, attention)),
        2 => index().prop_map(End),
        1 => index().prop_map(Gone),
        2 => (0..4_u8, 0..4_u32, 0..30_u64).prop_map(|(to, most, wait)| Pace(to, most, wait)),
        3 => (1..15_u64).prop_map(Pass),
    ]
}

/// The schedule beside the naive one.
struct Pair {
    schedule: Schedule,
    model: Model,
    now: u64,
    owner: Owner,
}

impl Default for Pair {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            model: Model::default(),
            now: 0,
            owner: Owner::new(),
        }
    }
}

impl Pair {
    fn pick(&self, index: prop::sample::Index, leased: bool) -> Option<Key> {
        let all = self.model.recipients.iter();
        let all = all.filter(|(_, naive)| naive.lease.is_some() == leased);
        let all: Vec<_> = all.map(|(key, _)| *key).collect();
        (!all.is_empty()).then(|| *index.get(&all))
    }

    fn run(&mut self, step: Step) {
        let now = Millis(self.now);
        match step {
            Step::Arrive(of, recipients, leased) => {
                let id = TransactionId::new();
                let lease = self.schedule.lease(self.owner, now, LEASE);
                for (number, (to, due, attention)) in (0..).zip(recipients) {
                    let to = to.filter(|_| !leased);
                    let waiting = waiting(self.now + due, self.now + due + attention, of, to);
                    let held = leased.then(|| NaiveLease {
                        lease,
                        at: now,
                        in_hand: Some(waiting.destination.clone()),
                    });
                    self.schedule.apply(match leased {
                        true => ScheduleChange::Leased(id, number, waiting.clone(), lease, now),
                        false => ScheduleChange::Waits(id, number, waiting.clone()),
                    });
                    let lease = held;
                    (self.model.recipients).insert((id, number), Naive { waiting, lease });
                }
            }
            // One by one, so that their order is known.
            Step::Claim(limit) if !self.model.set_aside.is_empty() => {
                (0..limit).for_each(|_| self.claim(1));
            }
            Step::Claim(limit) => self.claim(limit),
            Step::ClaimInVain(_) if !self.model.set_aside.is_empty() => {}
            Step::ClaimInVain(limit) => {
                self.model.end_leases(now);
                self.model.enough = LEASE.mul_f64(15.0 / 16.0);
                let chosen = self.schedule.claim(self.owner, now, limit, LEASE);
                if let Some(lease) = chosen.lease {
                    self.schedule.give_back(lease, &chosen.picks);
                }
            }
            Step::Enter(index, to) => {
                let Some((message, number)) = self.pick(index, true) else {
                    return;
                };
                let held = self.model.recipients[&(message, number)].lease.clone();
                let lease = held.unwrap().lease;
                // A claim sets the time of the schedule.
                let seen = self.schedule.now;
                let expected = self.model.admits(message, lease, &key(to), seen);
                let entered = self.schedule.enter(message, lease, &[number], &key(to));
                assert_eq!(entered, expected);
                let naive = self.model.recipients.get_mut(&(message, number)).unwrap();
                if let (true, Some(lease)) = (entered, &mut naive.lease) {
                    lease.in_hand = Some(Some(key(to)));
                }
            }
            Step::Return(index, to, due, attention) => {
                let Some((message, number)) = self.pick(index, true) else {
                    return;
                };
                let naive = self.model.recipients.get_mut(&(message, number)).unwrap();
                let account = naive.waiting.account.clone();
                let lease = naive.lease.take().unwrap();
                naive.waiting = WaitingPlace {
                    account,
                    ..waiting(self.now + due, self.now + attention, 0, to)
                };
                let waiting = naive.waiting.clone();
                self.schedule
                    .apply(ScheduleChange::Waits(message, number, waiting));
                if naive.waiting.attention_at <= lease.at {
                    naive.waiting.attention_at = NEVER;
                }
            }
            Step::SetAside(index, to, due, attention) => {
                let Some(of) = self.pick(index, true) else {
                    return;
                };
                let naive = &self.model.recipients[&of];
                let NaiveLease { lease, at, .. } = naive.lease.clone().unwrap();
                let mut waits = waiting(self.now + due, self.now + attention, 0, Some(to));
                waits.account.clone_from(&naive.waiting.account);
                let seen = self.schedule.now;
                let pace = self.model.pace(&Some(key(to)));
                let expected = pace.in_hand > 0
                    && pace.not_before <= seen
                    && seen < self.model.stale(lease)
                    && !self.model.set_aside.contains_key(&of.0);
                let (claim, report) = set_aside(of, lease, &waits, to);
                assert_eq!(self.schedule.set_aside(&claim, report).is_ok(), expected);
                if expected {
                    if waits.attention_at <= at {
                        waits.attention_at = NEVER;
                    }
                    self.model.set_aside.insert(of.0, (of.1, lease, at));
                    let naive = self.model.recipients.get_mut(&of).unwrap();
                    (naive.waiting, naive.lease) = (waits, None);
                }
            }
            Step::End(index) => {
                let key = self.pick(index, true).or_else(|| self.pick(index, false));
                if let Some(key) = key {
                    if self.model.is_kept(&key) {
                        self.model.set_aside.remove(&key.0);
                    }
                    self.model.recipients.remove(&key);
                    self.schedule.apply(ScheduleChange::Ended(key.0, key.1));
                }
            }
            Step::Gone(index) => {
                if let Some((message, _)) = self.pick(index, false) {
                    self.model.recipients.retain(|key, _| key.0 != message);
                    self.model.set_aside.remove(&message);
                    self.schedule.apply(ScheduleChange::Gone(message));
                }
            }
            Step::Pace(to, in_hand, wait) => {
                let not_before = Millis(self.now + wait);
                let pace = Pace {
                    in_hand,
                    not_before,
                };
                self.model.paces.insert(key(to), pace);
                self.schedule.set_pace(&key(to), pace);
                assert_eq!(self.schedule.pace(&key(to)), pace);
                let closed = in_hand == 0 || not_before > self.schedule.now;
                let there = self
                    .model
                    .set_aside
                    .iter()
                    .filter(|(message, (number, ..))| {
                        let naive = &self.model.recipients[&(**message, *number)];
                        closed && naive.waiting.destination == Some(key(to))
                    });
                let there: Vec<_> = there.map(|(message, _)| *message).collect();
                let returned = self.schedule.returned();
                let messages: Vec<_> = returned.iter().map(|report| report.message).collect();
                assert_eq!(messages, there);
                self.take_back(&returned);
                self.put_back(returned);
            }
            Step::Pass(time) => self.now += time * 1000,
        }
        assert_eq!(self.schedule.next_due(), self.model.next_due());
    }

    fn take_back(&mut self, returned: &[Report]) {
        let messages = returned.iter().map(|report| report.message);
        messages.for_each(|message| self.model.take_back(message));
    }

    /// Follows the commits of reports that return claims set aside.
    fn put_back(&mut self, returned: Vec<Report>) {
        for report in returned {
            let key = (report.message, report.results[0].number);
            let naive = self.model.recipients.get_mut(&key).unwrap();
            let lease = naive.lease.take().unwrap();
            let mut waits = naive.waiting.clone();
            waits.attention_at = report.results[0].attention_at.unwrap();
            let change = ScheduleChange::Waits(key.0, key.1, waits.clone());
            self.schedule.apply(change);
            if waits.attention_at <= lease.at {
                waits.attention_at = NEVER;
            }
            naive.waiting = waits;
        }
    }

    fn claim(&mut self, limit: usize) {
        let now = Millis(self.now);
        self.model.enough = LEASE.mul_f64(15.0 / 16.0);
        let claimed = self.schedule.claim(self.owner, now, limit, LEASE);
        self.model.end_leases(now);
        let returned = self.schedule.returned();
        for report in &returned {
            assert!(self.model.stale(report.lease) <= now);
        }
        self.take_back(&returned);
        let mut turns = BTreeMap::<_, usize>::new();
        let mut account_turns = BTreeMap::<_, usize>::new();
        let (mut count, mut attention) = (0, 0);
        for claim in claimed.set_aside {
            count += 1;
            let message = claim.transaction.id;
            let (number, lease, _) = self.model.set_aside.remove(&message).unwrap();
            assert_eq!((claim.lease, claim.recipients[0].number), (lease, number));
            assert!(now < self.model.stale(lease));
            let naive = &self.model.recipients[&(message, number)];
            let cause = self.model.cause(naive, now).unwrap();
            assert_eq!(claim.recipients[0].cause, cause);
            let destination = naive.waiting.destination.clone();
            let naive = self.model.recipients.get_mut(&(message, number)).unwrap();
            let in_hand = (cause == ClaimCause::Due).then_some(destination);
            let at = now;
            naive.lease = Some(NaiveLease { lease, at, in_hand });
        }
        if let Some(lease) = claimed.lease {
            assert!(!claimed.picks.is_empty());
            count += claimed.picks.len();
            for pick in claimed.picks {
                let first = &self.model.recipients[&(pick.message, pick.recipients[0].0)];
                let account = first.waiting.account.clone();
                let (destination, due) = self.model.take(&pick, lease, now);
                if due {
                    *turns.entry(destination.clone()).or_default() += 1;
                    *account_turns.entry((destination, account)).or_default() += 1;
                } else {
                    attention += 1;
                }
            }
        }
        assert!(count <= limit);
        let left = self.model.ready(now);
        if count < limit {
            assert!(left.is_empty(), "a claim left {left:?}");
            let recipients = self.model.recipients.values();
            let mut causes = recipients.filter_map(|naive| self.model.cause(naive, now));
            assert_eq!(causes.next(), None);
        }
        // Those that could be claimed all the time had as many turns as any other. A turn of
        // attention may take a message that is due as well.
        let slack = 1 + count / ATTENTION_TURN as usize + 1;
        assert!(attention <= count);
        for (destination, account) in left {
            let of = |destination: &_| turns.get(destination).copied().unwrap_or_default();
            let most = turns.values().copied().max().unwrap_or_default();
            assert!(of(&destination) + slack >= most, "{turns:?}");
            let had = account_turns.get(&(destination.clone(), account));
            let others = account_turns.iter();
            let others = others.filter(|((of, _), _)| *of == destination);
            let most = others.map(|(_, turns)| *turns).max().unwrap_or_default();
            assert!(had.copied().unwrap_or_default() + slack >= most);
        }
        self.put_back(returned);
    }
}

#[test]
fn the_schedule_does_what_a_naive_one_does() {
    let config = ProptestConfig {
        cases: 400,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = |steps: Vec<Step>| {
        let mut pair = Pair::default();
        steps.into_iter().for_each(|step| pair.run(step));
        Ok(())
    };
    TestRunner::new(config)
        .run(&vec(step(), 1..120), run)
        .unwrap();
}

/// Adds a message with one recipient.
fn arrive(schedule: &mut Schedule, of: u8, destination: Option<u8>, due: u64) -> TransactionId {
    let id = TransactionId::new();
    let waiting = waiting(due, u64::MAX, of, destination);
    schedule.apply(ScheduleChange::Waits(id, 0, waiting));
    id
}

fn claimed(schedule: &mut Schedule, now: u64, limit: usize) -> Vec<TransactionId> {
    let chosen = schedule.claim(Owner::new(), Millis(now), limit, LEASE);
    (chosen.picks.into_iter())
        .map(|pick| pick.message)
        .collect()
}

#[test]
fn an_account_with_a_hundred_thousand_messages_leaves_every_other_turn() {
    let mut schedule = Schedule::default();
    for _ in 0..100_000 {
        arrive(&mut schedule, 1, Some(1), 0);
    }
    claimed(&mut schedule, 1, 100);
    let ten: Vec<_> = (0..10)
        .map(|_| arrive(&mut schedule, 2, Some(1), 1))
        .collect();
    let next = claimed(&mut schedule, 1, 20);
    assert!(ten.iter().all(|id| next.contains(id)));
}

#[test]
fn a_destination_with_a_hundred_thousand_messages_leaves_every_other_turn() {
    let mut schedule = Schedule::default();
    for _ in 0..100_000 {
        arrive(&mut schedule, 1, Some(1), 0);
    }
    let ten: Vec<_> = (0..10)
        .map(|_| arrive(&mut schedule, 1, Some(2), 1))
        .collect();
    let next = claimed(&mut schedule, 1, 20);
    assert!(ten.iter().all(|id| next.contains(id)));
}

#[test]
fn messages_that_expire_together_leave_three_turns_of_four() {
    let mut schedule = Schedule::default();
    schedule.set_pace(
        &key(1),
        Pace {
            in_hand: 0,
            not_before: Millis(0),
        },
    );
    for _ in 0..1000 {
        let waiting = waiting(0, 1, 1, Some(1));
        schedule.apply(ScheduleChange::Waits(TransactionId::new(), 0, waiting));
    }
    let living: BTreeSet<_> = (0..30)
        .map(|_| arrive(&mut schedule, 1, Some(2), 1))
        .collect();
    let next = claimed(&mut schedule, 1, 40);
    assert_eq!(next.iter().filter(|id| living.contains(id)).count(), 30);
    assert_eq!(next.len(), 40);
}

#[test]
fn destinations_that_nobody_uses_are_forgotten() {
    let mut schedule = Schedule::default();
    for number in 0..3 * MANY_DESTINATIONS {
        let key = DestinationKey::new(&format!("mx:{number}.example"));
        let pace = Pace {
            in_hand: 3,
            not_before: Millis(0),
        };
        schedule.set_pace(&key, pace);
    }
    assert!(schedule.ids.len() <= MANY_DESTINATIONS + 1);
    assert_eq!(schedule.ids.len() + 1, schedule.destinations.len());
}

#[test]
fn nothing_is_left_of_what_has_ended() {
    let mut schedule = Schedule::default();
    let ids: Vec<_> = (0..100)
        .map(|number| arrive(&mut schedule, number % 3, Some(number % 5), 0))
        .collect();
    claimed(&mut schedule, 1, 50);
    ids.into_iter()
        .for_each(|id| schedule.apply(ScheduleChange::Gone(id)));
    assert_eq!(schedule.next_due(), None);
    assert_eq!(
        schedule.destinations.len(),
        1,
        "that of recipients without a route"
    );
    assert!(schedule.waiting.is_empty() && schedule.leased.is_empty());
    assert!(schedule.attention.is_empty() && schedule.lease_ends.is_empty());
}
