//! What policies asked to remember, kept for look-ups: marks and counts.
//!
//! The database holds the same; this is loaded from it at open and follows it after each commit.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

use gatepost_message::Millis;
use gatepost_policy::{Machine, Scope};

use crate::KnownMachine;

/// Milliseconds in a bucket of a count.
const BUCKET: u64 = 60_000;

/// The longest window of a count, in seconds.
pub(crate) const LONGEST_WINDOW: u32 = 24 * 3600;

/// The bucket that a moment falls into.
pub(crate) fn bucket(at: Millis) -> u64 {
    at.0 / BUCKET
}

/// The first bucket that a window of so many seconds before `now` still touches.
pub(crate) fn first_bucket(now: Millis, seconds: u32) -> u64 {
    let length = u64::from(seconds.min(LONGEST_WINDOW)) * 1000;
    bucket(Millis(now.0.saturating_sub(length)))
}

/// One change, as committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The key is marked until then.
    Mark {
        scope: Scope,
        key: String,
        until: Millis,
    },
    /// So much more in that bucket.
    Count {
        scope: Scope,
        key: String,
        bucket: u64,
        amount: u64,
    },
    /// The count begins from nothing.
    Forget { scope: Scope, key: String },
    /// The address is known as a machine's, in the place of what was known of it.
    Machine {
        account: String,
        address: String,
        machine: Machine,
    },
    /// The address is known as a machine's no more.
    NoMachine { account: String, address: String },
    /// The mark is gone.
    Unmark { scope: Scope, key: String },
    /// The bucket is gone.
    Uncount {
        scope: Scope,
        key: String,
        bucket: u64,
    },
}

#[derive(Debug, Default)]
struct Remembered {
    marks: HashMap<String, Millis>,
    counts: HashMap<String, BTreeMap<u64, u64>>,
}

/// Marks and counts of all scopes, and the machines that are known, by account and address. An
/// empty account stands for none.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    scopes: RwLock<HashMap<Scope, Remembered>>,
    machines: RwLock<HashMap<String, BTreeMap<String, Machine>>>,
}

impl Memory {
    pub(crate) fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        let until = scopes
            .get(scope)
            .and_then(|remembered| remembered.marks.get(key));
        until.is_some_and(|until| *until > now)
    }

    pub(crate) fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        let buckets = scopes
            .get(scope)
            .and_then(|remembered| remembered.counts.get(key));
        let window = first_bucket(now, seconds)..=bucket(now);
        buckets.map_or(0, |buckets| {
            buckets.range(window).map(|(_, amount)| amount).sum()
        })
    }

    pub(crate) fn apply(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let mut machines = self
            .machines
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            apply(&mut scopes, &mut machines, change);
        }
    }

    pub(crate) fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        let machines = self.machines.read().unwrap_or_else(PoisonError::into_inner);
        let known = machines.get(account)?.get(address)?;
        (known.until > now).then(|| known.clone())
    }

    /// Those of one account, or all, by account and address.
    pub(crate) fn machines(&self, account: Option<&str>, now: Millis) -> Vec<KnownMachine> {
        let machines = self.machines.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> = (machines.iter())
            .filter(|(of, _)| account.is_none_or(|account| account == *of))
            .flat_map(|(of, known)| {
                known
                    .iter()
                    .map(move |(address, machine)| (of, address, machine))
            })
            .filter(|(_, _, machine)| machine.until > now)
            .map(|(account, address, machine)| KnownMachine {
                account: account.clone(),
                address: address.clone(),
                machine: machine.clone(),
            })
            .collect();
        found.sort_by(|one, other| {
            (&one.account, &one.address).cmp(&(&other.account, &other.address))
        });
        found
    }
}

fn apply(
    scopes: &mut HashMap<Scope, Remembered>,
    machines: &mut HashMap<String, BTreeMap<String, Machine>>,
    change: Change,
) {
    match change {
        Change::Forget { scope, key } => {
            if let Some(remembered) = scopes.get_mut(&scope) {
                remembered.counts.remove(&key);
                forget_if_empty(scopes, &scope);
            }
        }
        Change::Machine {
            account,
            address,
            mut machine,
        } => {
            let of_account = machines.entry(account).or_default();
            if let Some(known) = of_account.get(&address)
                && known.until > machine.since
            {
                machine.since = known.since;
            }
            of_account.insert(address, machine);
        }
        Change::NoMachine { account, address } => {
            if let Some(of_account) = machines.get_mut(&account) {
                of_account.remove(&address);
                if of_account.is_empty() {
                    machines.remove(&account);
                }
            }
        }
        Change::Mark { scope, key, until } => {
            let mark = scopes
                .entry(scope)
                .or_default()
                .marks
                .entry(key)
                .or_default();
            *mark = until.max(*mark);
        }
        Change::Count {
            scope,
            key,
            bucket,
            amount,
        } => {
            let buckets = scopes
                .entry(scope)
                .or_default()
                .counts
                .entry(key)
                .or_default();
            *buckets.entry(bucket).or_default() += amount;
        }
        Change::Unmark { scope, key } => {
            if let Some(remembered) = scopes.get_mut(&scope) {
                remembered.marks.remove(&key);
                forget_if_empty(scopes, &scope);
            }
        }
        Change::Uncount { scope, key, bucket } => {
            let Some(remembered) = scopes.get_mut(&scope) else {
                return;
            };
            if let Some(buckets) = remembered.counts.get_mut(&key) {
                buckets.remove(&bucket);
                if buckets.is_empty() {
                    remembered.counts.remove(&key);
                }
            }
            forget_if_empty(scopes, &scope);
        }
    }
}

fn forget_if_empty(scopes: &mut HashMap<Scope, Remembered>, scope: &Scope) {
    let empty =
        |remembered: &Remembered| remembered.marks.is_empty() && remembered.counts.is_empty();
    if scopes.get(scope).is_some_and(empty) {
        scopes.remove(scope);
    }
}
