//! Marks, counts and machines that policies asked to remember.

#![allow(
    missing_docs,
    reason = "the name of a function is the fact that it shows"
)]

use std::time::Duration;

use gatepost_counters::CounterState;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::Effect;
use gatepost_spool::*;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};

use crate::{StoreUnderTest, support::*};

fn scope(policy: &str, account: Option<&str>) -> Scope {
    Scope {
        policy: policy.into(),
        account: account.map(Into::into),
    }
}

/// Accepts a message of that time with that effect.
fn apply(store: &impl StoreUnderTest, scope: &Scope, at: Millis, effect: Effect) {
    let mut new = message(TransactionId::new(), &["bob@a.example"]);
    new.transaction.time = at;
    new.effects.push((scope.clone(), effect));
    accept(store.queue(), new);
}

fn mark(key: &str, seconds: u32) -> Effect {
    Effect::MarkSeen {
        key: key.into(),
        seconds,
    }
}

fn count(key: &str, amount: u32) -> Effect {
    Effect::Count {
        key: key.into(),
        amount,
    }
}

pub fn marks_are_seen_by_their_scope_until_they_end<S: StoreUnderTest>() {
    let mut store = S::open();
    let mine = scope("loop-guard", Some("acme"));
    apply(&store, &mine, START, mark("x", 60));
    // A shorter mark does not shorten a longer one.
    apply(&store, &mine, START, mark("x", 10));
    let end = START + minutes(1);
    for _ in 0..2 {
        assert!(store.counters().seen(&mine, "x", START));
        assert!(
            store
                .counters()
                .seen(&mine, "x", end - Duration::from_millis(1))
        );
        assert!(!store.counters().seen(&mine, "x", end));
        assert!(!store.counters().seen(&mine, "y", START));
        assert!(
            !store
                .counters()
                .seen(&scope("loop-guard", None), "x", START)
        );
        assert!(
            !store
                .counters()
                .seen(&scope("other", Some("acme")), "x", START)
        );
        store.reopen();
    }
    apply(&store, &mine, end, mark("x", 60));
    assert!(store.counters().seen(&mine, "x", end));
}

pub fn counts_are_of_a_window_by_the_minute<S: StoreUnderTest>() {
    let mut store = S::open();
    let mine = scope("partner-guard", None);
    // On the minute, so that the edges of buckets are known.
    let start = Millis(START.0 / 60_000 * 60_000);
    apply(&store, &mine, start, count("k", 2));
    apply(
        &store,
        &mine,
        start + Duration::from_secs(59),
        count("k", 3),
    );
    apply(&store, &mine, start + minutes(10), count("k", 5));
    for _ in 0..2 {
        let counted = |seconds, after| {
            store
                .counters()
                .counted(&mine, "k", seconds, start + minutes(after))
        };
        assert_eq!(counted(0, 0), 5);
        assert_eq!(counted(60, 10), 5);
        assert_eq!(counted(600, 10), 10);
        assert_eq!(counted(600, 11), 5);
        assert_eq!(counted(600, 21), 0);
        // No window is longer than a day, and nothing is counted before it happened.
        assert_eq!(counted(u32::MAX, 24 * 60), 10);
        assert_eq!(counted(u32::MAX, 24 * 60 + 1), 5);
        assert_eq!(
            store
                .counters()
                .counted(&mine, "k", 600, start - minutes(1)),
            0
        );
        assert_eq!(
            store
                .counters()
                .counted(&scope("partner-guard", Some("a")), "k", 600, start),
            0
        );
        store.reopen();
    }
}

pub fn expired_entries_are_dropped_from_the_store<S: StoreUnderTest>() {
    let mut store = S::open();
    let mine = scope("p", Some("acme"));
    apply(&store, &mine, START, mark("short", 60));
    apply(&store, &mine, START, mark("long", 7200));
    apply(&store, &mine, START, count("old", 1));
    apply(&store, &mine, START + minutes(120), count("new", 1));

    assert_eq!(wait(store.counters().expire(START)).unwrap().entries, 0);
    assert_eq!(
        wait(store.counters().expire(START + minutes(1)))
            .unwrap()
            .entries,
        1
    );
    assert!(
        !store.counters().seen(&mine, "short", START),
        "gone, whatever time is asked for"
    );
    assert!(store.counters().seen(&mine, "long", START));
    let a_day_later = START + minutes(24 * 60 + 2);
    assert_eq!(
        wait(store.counters().expire(a_day_later)).unwrap().entries,
        2
    );
    store.reopen();
    assert!(!store.counters().seen(&mine, "long", START));
    assert_eq!(store.counters().counted(&mine, "old", 60, START), 0);
    assert_eq!(
        store
            .counters()
            .counted(&mine, "new", 60, START + minutes(120)),
        1
    );
}

pub fn expire_says_when_there_is_more<S: StoreUnderTest>() {
    let store = S::open();
    let mine = scope("p", None);
    let mut many = message(TransactionId::new(), &["bob@a.example"]);
    many.effects = (0..1500)
        .map(|n| (mine.clone(), mark(&n.to_string(), 60)))
        .collect();
    accept(store.queue(), many);

    let later = START + minutes(2);
    let mut dropped = 0;
    let mut calls = 0;
    loop {
        let expired = wait(store.counters().expire(later)).unwrap();
        dropped += expired.entries;
        calls += 1;
        if !expired.more {
            break;
        }
    }
    assert_eq!((dropped, calls), (1500, 2));
}

pub fn a_refused_message_has_no_effects<S: StoreUnderTest>() {
    let mut store = S::open();
    let mine = scope("p", None);
    let id = accept(
        store.queue(),
        message(TransactionId::new(), &["bob@a.example"]),
    );
    let mut twice = message(id, &["bob@a.example"]);
    twice.effects = vec![(mine.clone(), mark("x", 60)), (mine.clone(), count("k", 1))];
    wait(store.queue().accept(twice)).unwrap_err();
    let nothing = |store: &S| {
        !store.counters().seen(&mine, "x", START)
            && store.counters().counted(&mine, "k", 60, START) == 0
    };
    assert!(nothing(&store));
    store.reopen();
    assert!(nothing(&store));
}

pub fn a_forgotten_count_begins_at_zero<S: StoreUnderTest>() {
    let mut store = S::open();
    let mine = scope("loop-guard", Some("acme"));
    let forget = Effect::ForgetCount { key: "k".into() };
    apply(&store, &mine, START, count("k", 5));
    apply(&store, &mine, START, count("other", 7));
    let mut new = message(TransactionId::new(), &["bob@a.example"]);
    new.transaction.time = START + minutes(1);
    new.effects = vec![
        (mine.clone(), count("k", 9)),
        (mine.clone(), forget),
        (mine.clone(), count("k", 1)),
    ];
    accept(store.queue(), new);
    for _ in 0..2 {
        assert_eq!(
            store
                .counters()
                .counted(&mine, "k", 600, START + minutes(1)),
            1
        );
        assert_eq!(
            store
                .counters()
                .counted(&mine, "other", 600, START + minutes(1)),
            7
        );
        store.reopen();
    }
}

pub fn machines_are_known_until_forgotten_or_expired<S: StoreUnderTest>() {
    let mut store = S::open();
    let mine = scope("loop-guard", Some("acme"));
    let machine = |address: &str, evidence: &str, seconds| Effect::RememberMachine {
        address: address.into(),
        evidence: evidence.into(),
        seconds,
    };
    let robot = "robot@a.example";
    apply(&store, &mine, START, machine(robot, "cron", 600));
    apply(&store, &mine, START, machine("other@a.example", "cron", 60));
    let later = START + minutes(5);
    apply(&store, &mine, later, machine(robot, "a newer sign", 600));
    for _ in 0..2 {
        let known = store.counters().machine("acme", robot, later).unwrap();
        assert_eq!(known.evidence, "a newer sign");
        assert_eq!((known.since, known.until), (START, later + minutes(10)));
        assert_eq!(store.counters().machine("acme", robot, known.until), None);
        assert_eq!(store.counters().machine("beta", robot, later), None);
        let all = store.counters().machines(None, START);
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(store.counters().machines(Some("acme"), later).len(), 1);
        assert_eq!(store.counters().machines(Some("beta"), START).len(), 0);
        store.reopen();
    }
    // Expired machines are dropped, and the others are not.
    wait(store.counters().expire(later)).unwrap();
    assert_eq!(store.counters().machines(None, START).len(), 1);
    assert!(wait(store.counters().forget_machine("acme", robot, later)).unwrap());
    assert!(!wait(store.counters().forget_machine("acme", robot, later)).unwrap());
    // Known again, it is known since now.
    apply(&store, &mine, later, machine(robot, "cron", 60));
    assert_eq!(
        store
            .counters()
            .machine("acme", robot, later)
            .unwrap()
            .since,
        later
    );
    let forget = Effect::ForgetMachine {
        address: robot.into(),
    };
    apply(&store, &mine, later, forget);
    for _ in 0..2 {
        assert_eq!(store.counters().machine("acme", robot, later), None);
        store.reopen();
    }
}

pub fn an_evicted_entry_that_is_known_again_stays<S: StoreUnderTest>() {
    // Room for about ten marks.
    let mine = scope("p", Some("acme"));
    let mut store = S::open_with(10 * 170);
    apply(&store, &mine, START, mark("comes back", 1));
    for n in 0..20 {
        apply(&store, &mine, START, mark(&format!("other {n:02}"), 60 + n));
    }
    assert!(!store.counters().seen(&mine, "comes back", START));
    apply(&store, &mine, START, mark("comes back", 3600));
    for _ in 0..2 {
        assert!(store.counters().seen(&mine, "comes back", START));
        assert!(!store.counters().seen(&mine, "other 00", START));
        assert!(store.counters().seen(&mine, "other 19", START));
        store.reopen();
    }
}

pub fn effects_need_no_message<S: StoreUnderTest>() {
    let mut store = S::open();
    let mine = scope("outbound-route", Some("acme"));
    let effects = vec![
        (mine.clone(), count("k", 2)),
        (mine.clone(), mark("x", 60)),
        (mine.clone(), count("k", 3)),
    ];
    wait(store.counters().apply(effects, START)).unwrap();
    for _ in 0..2 {
        assert_eq!(store.counters().counted(&mine, "k", 60, START), 5);
        assert!(store.counters().seen(&mine, "x", START));
        assert!(!store.counters().seen(&mine, "x", START + minutes(1)));
        assert!(list(store.admin()).is_empty());
        assert_eq!(wait(store.admin().depth()).unwrap(), QueueDepth::default());
        store.reopen();
    }
}

/// Seed of the random effects; proptest prints it when a case fails.
const SEED: u64 = 20_261_129;

#[derive(Debug, Clone)]
enum Step {
    /// Effects of a message, or without one.
    Effects(Vec<(u8, Effect)>, bool),
    Wait(u64),
    Expire,
    Reopen,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let key = "[a-c]";
    let seconds = 1..7200_u32;
    let effect = prop_oneof![
        3 => (key, 1..9_u32).prop_map(|(key, amount)| Effect::Count { key, amount }),
        2 => (key, seconds.clone()).prop_map(|(key, seconds)| Effect::MarkSeen { key, seconds }),
        1 => key.prop_map(|key| Effect::ForgetCount { key }),
        2 => (key, "[x-z]", seconds).prop_map(|(address, evidence, seconds)| {
            Effect::RememberMachine { address, evidence, seconds }
        }),
        1 => key.prop_map(|address| Effect::ForgetMachine { address }),
    ];
    prop_oneof![
        8 => (vec((0..2_u8, effect), 1..4), any::<bool>())
            .prop_map(|(effects, alone)| Step::Effects(effects, alone)),
        2 => (1..3000_u64).prop_map(Step::Wait),
        1 => Just(Step::Expire),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

/// Applies random effects to a store and to the fold of the crate `counters`: look-ups find the same
/// in both, across restarts too.
pub fn look_ups_find_what_the_effects_add_up_to<S: StoreUnderTest>() {
    let config = ProptestConfig {
        cases: 24,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let steps = (vec(step(), 1..40), any::<bool>());
    let run = |(steps, attached): (Vec<Step>, bool)| {
        compare::<S>(steps, attached);
        Ok(())
    };
    TestRunner::new(config).run(&steps, run).unwrap();
}

fn compare<S: StoreUnderTest>(steps: Vec<Step>, attached: bool) {
    let mut store = S::open();
    let mut state = CounterState::new(8 << 20);
    let scopes = [scope("p", Some("acme")), scope("p", None)];
    let mut now = START;
    for step in steps {
        if attached {
            // Messages are in the hands of delivery, and with SQLite in the journal.
            store.queue().attach(Owner::new(), LEASE);
        }
        match step {
            Step::Effects(effects, alone) => {
                let scoped = effects.into_iter();
                let scoped = scoped.map(|(of, effect)| (scopes[usize::from(of)].clone(), effect));
                let effects: Vec<_> = scoped.collect();
                state.apply_effects(&effects, now);
                if alone {
                    wait(store.counters().apply(effects, now)).unwrap();
                } else {
                    let mut new = message(TransactionId::new(), &["bob@a.example"]);
                    new.transaction.time = now;
                    new.effects = effects;
                    accept(store.queue(), new);
                }
            }
            Step::Wait(seconds) => now = now + Duration::from_secs(seconds),
            Step::Expire => {
                let expired = state.expired(now, EXPIRE_AT_ONCE);
                let forgotten = wait(store.counters().expire(now)).unwrap();
                assert_eq!(forgotten.entries, expired.changes.len());
                state.apply(expired.changes);
            }
            Step::Reopen => store.reopen(),
            Step::Crash => store.crash(),
        }
        assert_eq!(store.counters().remembered(), state.totals());
        assert_eq!(
            store.counters().machines(None, now),
            state.machines(None, now)
        );
        for key in ["a", "b", "c"] {
            for of in &scopes {
                for seconds in [0, 600, 86_400] {
                    assert_eq!(
                        store.counters().counted(of, key, seconds, now),
                        state.counted(of, key, seconds, now)
                    );
                }
                let at = |after| now + minutes(after);
                for after in [0, 30, 90] {
                    assert_eq!(
                        store.counters().seen(of, key, at(after)),
                        state.seen(of, key, at(after))
                    );
                }
            }
        }
    }
}
