//! Bounds and eviction, against a model that keeps everything in a list.

use proptest::prelude::*;

use gatepost_message::Millis;
use gatepost_model::{Machine, Scope};

use crate::{CounterChange, CounterState, ENTRY_OVERHEAD, LONGEST_WINDOW, window::BUCKET_MILLIS};

/// Room for a few short keys.
const BOUND: usize = 4 * (ENTRY_OVERHEAD + 60);

fn scope(account: u8) -> Scope {
    Scope {
        policy: "loop-guard".into(),
        account: Some(format!("account-{account}")),
    }
}

fn change() -> impl Strategy<Value = CounterChange> {
    let account = 0..2_u8;
    let key = "[a-f]{1,2}";
    prop_oneof![
        3 => (account.clone(), key, 0..50_u64).prop_map(|(account, key, until)| CounterChange::Mark {
            scope: scope(account), key, until: Millis(until),
        }),
        4 => (account.clone(), key, 0..4_u64, 1..4_u64)
            .prop_map(|(account, key, bucket, amount)| CounterChange::Count {
                scope: scope(account), key, bucket, amount,
            }),
        1 => (account.clone(), key).prop_map(|(account, key)| CounterChange::ForgetCount {
            scope: scope(account), key,
        }),
        1 => (account.clone(), key).prop_map(|(account, key)| CounterChange::Unmark {
            scope: scope(account), key,
        }),
        1 => (account.clone(), key, 0..4_u64).prop_map(|(account, key, bucket)| CounterChange::DropBucket {
            scope: scope(account), key, bucket,
        }),
        3 => (0..2_u8, key, 0..50_u64).prop_map(|(account, address, until)| CounterChange::Machine {
            account: format!("account-{account}"),
            address,
            machine: Machine { evidence: "cron".into(), since: Millis(0), until: Millis(until) },
        }),
        1 => (0..2_u8, key).prop_map(|(account, address)| CounterChange::ForgetMachine {
            account: format!("account-{account}"), address,
        }),
        1 => (0..2_u8).prop_map(|account| CounterChange::ForgetAccount {
            account: format!("account-{account}"),
        }),
    ]
}

/// Entries in plain lists.
#[derive(Debug, Default)]
struct Model {
    marks: Vec<(Scope, String, Millis)>,
    counts: Vec<(Scope, String, u64, u64)>,
    machines: Vec<(String, String, Machine)>,
}

impl Model {
    fn apply(&mut self, change: &CounterChange) {
        match change {
            CounterChange::Mark { scope, key, until } => {
                let mark = self
                    .marks
                    .iter_mut()
                    .find(|(of, k, _)| (of, k) == (scope, key));
                match mark {
                    Some((_, _, known)) => *known = (*known).max(*until),
                    None => self.marks.push((scope.clone(), key.clone(), *until)),
                }
            }
            CounterChange::Unmark { scope, key } => {
                self.marks.retain(|(of, k, _)| (of, k) != (scope, key));
            }
            CounterChange::ForgetAccount { account } => {
                let is_of = |scope: &Scope| scope.account.as_ref() == Some(account);
                self.marks.retain(|(of, ..)| !is_of(of));
                self.counts.retain(|(of, ..)| !is_of(of));
                self.machines.retain(|(of, ..)| of != account);
            }
            CounterChange::Count {
                scope,
                key,
                bucket,
                amount,
            } => {
                let count = self.counts.iter_mut();
                let mut same = count.filter(|(of, k, b, _)| (of, k, b) == (scope, key, bucket));
                match same.next() {
                    Some((.., known)) => *known += amount,
                    None => {
                        let count = (scope.clone(), key.clone(), *bucket, *amount);
                        self.counts.push(count);
                    }
                }
            }
            CounterChange::ForgetCount { scope, key } => {
                self.counts.retain(|(of, k, ..)| (of, k) != (scope, key));
            }
            CounterChange::DropBucket { scope, key, bucket } => {
                self.counts
                    .retain(|(of, k, b, _)| (of, k, b) != (scope, key, bucket));
            }
            CounterChange::Machine {
                account,
                address,
                machine,
            } => {
                self.machines
                    .retain(|(of, at, _)| (of, at) != (account, address));
                self.machines
                    .push((account.clone(), address.clone(), machine.clone()));
            }
            CounterChange::ForgetMachine { account, address } => {
                self.machines
                    .retain(|(of, at, _)| (of, at) != (account, address));
            }
        }
    }

    fn total(&self, scope: &Scope, key: &str) -> (u64, u64) {
        let of = self
            .counts
            .iter()
            .filter(|(of, k, ..)| of == scope && k == key);
        of.fold((0, 0), |(total, last), (_, _, bucket, amount)| {
            (total + amount, last.max(*bucket))
        })
    }

    /// Returns true if no entry that stayed is weaker than the evicted one.
    fn nothing_is_weaker_than(&self, evicted: &CounterChange, strength: (u64, u64)) -> bool {
        match evicted {
            CounterChange::Unmark { scope, .. } => (self.marks.iter())
                .filter(|(of, ..)| of == scope)
                .all(|(_, _, until)| until.0 >= strength.0),
            CounterChange::ForgetCount { scope, .. } => (self.counts.iter())
                .filter(|(of, ..)| of == scope)
                .all(|(_, key, ..)| self.total(scope, key) >= strength),
            CounterChange::ForgetMachine { account, .. } => (self.machines.iter())
                .filter(|(of, ..)| of == account)
                .all(|(_, _, machine)| machine.until.0 >= strength.0),
            _ => false,
        }
    }

    fn strength(&self, evicted: &CounterChange) -> (u64, u64) {
        match evicted {
            CounterChange::Unmark { scope, key } => {
                let mark = self.marks.iter().find(|(of, k, _)| (of, k) == (scope, key));
                (mark.unwrap().2.0, 0)
            }
            CounterChange::ForgetCount { scope, key } => self.total(scope, key),
            CounterChange::ForgetMachine { account, address } => {
                let mut known = self.machines.iter();
                let known = known.find(|(of, at, _)| (of, at) == (account, address));
                (known.unwrap().2.until.0, 0)
            }
            other => panic!("{other:?} is no way to forget early"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_state_is_bounded_and_forgets_the_weakest(
        changes in proptest::collection::vec(change(), 1..200),
    ) {
        let mut state = CounterState::new(BOUND);
        let mut model = Model::default();
        for change in changes {
            let account = match &change {
                CounterChange::Machine { account, .. } | CounterChange::ForgetMachine { account, .. }
                | CounterChange::ForgetAccount { account } => {
                    account.clone()
                }
                CounterChange::Mark { scope, .. } | CounterChange::Count { scope, .. }
                | CounterChange::ForgetCount { scope, .. } | CounterChange::Unmark { scope, .. }
                | CounterChange::DropBucket { scope, .. } => scope.account.clone().unwrap(),
            };
            model.apply(&change);
            for evicted in state.apply(vec![change]) {
                // Only an entry of the same account is evicted.
                prop_assert_eq!(evicted.labels().2, &account);
                let strength = model.strength(&evicted);
                model.apply(&evicted);
                prop_assert!(model.nothing_is_weaker_than(&evicted, strength));
            }
            let totals = state.totals();
            for of in [totals.marks, totals.counts, totals.machines] {
                prop_assert!(of.octets <= 2 * BOUND, "two accounts: {totals:?}");
            }
            prop_assert_eq!(totals.marks.entries, model.marks.len());
            prop_assert_eq!(totals.machines.entries, model.machines.len());
            let mut keys: Vec<_> =
                model.counts.iter().map(|(scope, key, ..)| (scope, key)).collect();
            keys.sort();
            keys.dedup();
            prop_assert_eq!(totals.counts.entries, keys.len());
        }
        let now = Millis(0);
        for (scope, key, until) in &model.marks {
            prop_assert_eq!(state.seen(scope, key, now), until.0 > 0);
        }
        for (scope, key, ..) in &model.counts {
            let day = Millis(u64::from(LONGEST_WINDOW) * 1000);
            prop_assert_eq!(
                state.counted(scope, key, LONGEST_WINDOW, day),
                model.total(scope, key).0
            );
        }
        for (account, address, known) in &model.machines {
            prop_assert_eq!(state.machine(account, address, now).is_some(), known.until.0 > 0);
        }
        if model.marks.is_empty() && model.counts.is_empty() {
            prop_assert!(state.scopes.is_empty());
        }
    }
}

#[test]
fn frequent_counts_outlast_those_of_strangers() {
    let mut state = CounterState::new(1 << 16);
    let count = |key: String, amount| CounterChange::Count {
        scope: scope(0),
        key,
        bucket: 7,
        amount,
    };
    state.apply(vec![count("a loop".into(), 12)]);
    let strangers = (0..10_000).map(|n| count(format!("stranger {n}"), 1));
    let evicted = state.apply(strangers);
    assert!(evicted.len() > 9_000, "{}", evicted.len());
    let now = Millis(7 * BUCKET_MILLIS);
    assert_eq!(state.counted(&scope(0), "a loop", 60, now), 12);
    assert_eq!(state.counted(&scope(0), "stranger 9999", 60, now), 1);
    assert_eq!(state.counted(&scope(0), "stranger 0", 60, now), 0);
}
