//! Bounds and eviction, against a model that keeps everything in a list.

use proptest::prelude::*;

use super::*;

/// Room for a few short keys.
const BOUND: usize = 4 * (ENTRY + 60);

fn scope(account: u8) -> Scope {
    Scope {
        policy: "loop-guard".into(),
        account: Some(format!("account-{account}")),
    }
}

fn change() -> impl Strategy<Value = Change> {
    let account = 0..2_u8;
    let key = "[a-f]{1,2}";
    prop_oneof![
        3 => (account.clone(), key, 0..50_u64).prop_map(|(account, key, until)| Change::Mark {
            scope: scope(account), key, until: Millis(until),
        }),
        4 => (account.clone(), key, 0..4_u64, 1..4_u64)
            .prop_map(|(account, key, bucket, amount)| Change::Count {
                scope: scope(account), key, bucket, amount,
            }),
        1 => (account.clone(), key).prop_map(|(account, key)| Change::Forget {
            scope: scope(account), key,
        }),
        1 => (account.clone(), key).prop_map(|(account, key)| Change::Unmark {
            scope: scope(account), key,
        }),
        1 => (account.clone(), key, 0..4_u64).prop_map(|(account, key, bucket)| Change::Uncount {
            scope: scope(account), key, bucket,
        }),
        3 => (0..2_u8, key, 0..50_u64).prop_map(|(account, address, until)| Change::Machine {
            account: format!("account-{account}"),
            address,
            machine: Machine { evidence: "cron".into(), since: Millis(0), until: Millis(until) },
        }),
        1 => (0..2_u8, key).prop_map(|(account, address)| Change::NoMachine {
            account: format!("account-{account}"), address,
        }),
    ]
}

/// What is remembered, and nothing of how it is found.
#[derive(Debug, Default)]
struct Model {
    marks: Vec<(Scope, String, Millis)>,
    counts: Vec<(Scope, String, u64, u64)>,
    machines: Vec<(String, String, Machine)>,
}

impl Model {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Mark { scope, key, until } => {
                let mark = self
                    .marks
                    .iter_mut()
                    .find(|(of, k, _)| (of, k) == (scope, key));
                match mark {
                    Some((_, _, known)) => *known = (*known).max(*until),
                    None => self.marks.push((scope.clone(), key.clone(), *until)),
                }
            }
            Change::Unmark { scope, key } => {
                self.marks.retain(|(of, k, _)| (of, k) != (scope, key));
            }
            Change::Count {
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
            Change::Forget { scope, key } => {
                self.counts.retain(|(of, k, ..)| (of, k) != (scope, key));
            }
            Change::Uncount { scope, key, bucket } => {
                self.counts
                    .retain(|(of, k, b, _)| (of, k, b) != (scope, key, bucket));
            }
            Change::Machine {
                account,
                address,
                machine,
            } => {
                self.machines
                    .retain(|(of, at, _)| (of, at) != (account, address));
                self.machines
                    .push((account.clone(), address.clone(), machine.clone()));
            }
            Change::NoMachine { account, address } => {
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

    /// Whether nothing that is still there is weaker than this, for whose sake it was forgotten.
    fn nothing_is_weaker_than(&self, forgotten: &Change, strength: (u64, u64)) -> bool {
        match forgotten {
            Change::Unmark { scope, .. } => (self.marks.iter())
                .filter(|(of, ..)| of == scope)
                .all(|(_, _, until)| until.0 >= strength.0),
            Change::Forget { scope, .. } => (self.counts.iter())
                .filter(|(of, ..)| of == scope)
                .all(|(_, key, ..)| self.total(scope, key) >= strength),
            Change::NoMachine { account, .. } => (self.machines.iter())
                .filter(|(of, ..)| of == account)
                .all(|(_, _, machine)| machine.until.0 >= strength.0),
            _ => false,
        }
    }

    fn strength(&self, forgotten: &Change) -> (u64, u64) {
        match forgotten {
            Change::Unmark { scope, key } => {
                let mark = self.marks.iter().find(|(of, k, _)| (of, k) == (scope, key));
                (mark.unwrap().2.0, 0)
            }
            Change::Forget { scope, key } => self.total(scope, key),
            Change::NoMachine { account, address } => {
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
    fn memory_is_bounded_and_forgets_the_weakest(
        changes in proptest::collection::vec(change(), 1..200),
    ) {
        let memory = Memory::new(BOUND);
        let mut model = Model::default();
        for change in changes {
            let account = match &change {
                Change::Machine { account, .. } | Change::NoMachine { account, .. } => {
                    account.clone()
                }
                Change::Mark { scope, .. } | Change::Count { scope, .. }
                | Change::Forget { scope, .. } | Change::Unmark { scope, .. }
                | Change::Uncount { scope, .. } => scope.account.clone().unwrap(),
            };
            model.apply(&change);
            for forgotten in memory.apply(vec![change]) {
                // Only what belongs to the same account makes room for it.
                prop_assert_eq!(of_change(&forgotten).2, &account);
                let strength = model.strength(&forgotten);
                model.apply(&forgotten);
                prop_assert!(model.nothing_is_weaker_than(&forgotten, strength));
            }
            let totals = memory.totals();
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
            prop_assert_eq!(memory.seen(scope, key, now), until.0 > 0);
        }
        for (scope, key, ..) in &model.counts {
            let day = Millis(u64::from(LONGEST_WINDOW) * 1000);
            prop_assert_eq!(
                memory.counted(scope, key, LONGEST_WINDOW, day),
                model.total(scope, key).0
            );
        }
        for (account, address, known) in &model.machines {
            prop_assert_eq!(memory.machine(account, address, now).is_some(), known.until.0 > 0);
        }
        if model.marks.is_empty() && model.counts.is_empty() {
            prop_assert!(memory.read().scopes.is_empty());
        }
    }
}

#[test]
fn what_strangers_make_it_count_goes_before_what_was_counted_often() {
    let memory = Memory::new(1 << 16);
    let count = |key: String, amount| Change::Count {
        scope: scope(0),
        key,
        bucket: 7,
        amount,
    };
    memory.apply(vec![count("a loop".into(), 12)]);
    let strangers = (0..10_000).map(|n| count(format!("stranger {n}"), 1));
    let forgotten = memory.apply(strangers.collect());
    assert!(forgotten.len() > 9_000, "{}", forgotten.len());
    let now = Millis(7 * BUCKET);
    assert_eq!(memory.counted(&scope(0), "a loop", 60, now), 12);
    assert_eq!(memory.counted(&scope(0), "stranger 9999", 60, now), 1);
    assert_eq!(memory.counted(&scope(0), "stranger 0", 60, now), 0);
}
