//! How often somebody may fail to log in, by network address and by user.
//!
//! An attempt is counted when it [begins](Attempts::begin), for the address, of IPv6 for its /64,
//! since that is what one host has, and for the user, be there such a user or not. One that
//! succeeds is given back. Until it is known what becomes of those that have begun, no more of them
//! are let through than might fail: one that may come too late waits for them. So guesses that are
//! made at the same time are as few as those that are made one after the other.
//!
//! Each answer to a failure comes later than that to the one before, and after so many there is
//! none for a while. An address from which this user has logged in lately is known for the user, and
//! has a count of its own for the two, which the next success ends: else whoever guesses, or has a
//! forgotten password in a device behind the same address, could keep others out.
//!
//! Kept in memory, by hashes with a key of the process, so that long names cost nothing; when there
//! is too much of it, what is oldest goes. Libraries that limit rates count each try; this counts
//! those that fail, which is known only afterwards.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gatepost_config::Allowance;
use tokio::sync::Notify;

/// How much is remembered: 100 octets each, with the table's room.
const MOST: usize = 100_000;

/// How long an address is known as one from which a user has logged in.
const KNOWN: Duration = Duration::from_secs(24 * 60 * 60);

/// How often the delay doubles.
const DOUBLINGS: u32 = 4;

/// What failed lately, what did not, and what has begun.
#[derive(Debug, Default)]
pub struct Attempts {
    counts: Mutex<Counts>,
    /// It is known of one more what has become of it.
    settled: Notify,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Counts {
    remembered: HashMap<u64, Remembered>,
    /// Attempts that have begun and not ended. Each is a session's, so there are no more of them
    /// than connections.
    begun: HashMap<u64, u32>,
}

#[derive(Debug, Clone, Copy)]
struct Remembered {
    failures: u32,
    forgotten: Instant,
}

/// What something is remembered of.
#[derive(Clone, Copy, Hash)]
enum Of<'a> {
    Address(IpAddr),
    User(&'a str),
    /// The user, from where it has logged in.
    Both(IpAddr, &'a str),
    /// That it has.
    Known(IpAddr, &'a str),
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Admission {
    Now,
    /// Not before it is known what becomes of those that have begun.
    Later,
    /// Too many have failed.
    Never,
}

/// An attempt that has begun. It counts as a failure until it has succeeded, and for good when it
/// is dropped.
#[derive(Debug)]
#[must_use = "an attempt that is dropped has failed"]
pub(super) struct Attempt {
    attempts: Arc<Attempts>,
    time: Duration,
    delay: Duration,
    /// What it is counted for.
    counted: Vec<u64>,
    /// Under what it is remembered that it has succeeded, and the count that ends with it.
    known: u64,
    both: u64,
    settled: bool,
}

impl Attempts {
    /// Whether somebody may try to be this user, as far as is known by now.
    pub(super) fn admits(&self, allowance: &Allowance, from: IpAddr, user: &str) -> bool {
        let counts = self.lock();
        self.admission(&counts, allowance, network(from), user) != Admission::Never
    }

    /// Somebody tries to be this user; `None` if there were too many failures. Waits where those
    /// that have begun may yet turn out to be too many.
    pub(super) async fn begin(
        self: &Arc<Self>,
        allowance: &Allowance,
        from: IpAddr,
        user: &str,
    ) -> Option<Attempt> {
        let from = network(from);
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // From here on no settlement is missed.
            settled.as_mut().enable();
            {
                let mut counts = self.lock();
                match self.admission(&counts, allowance, from, user) {
                    Admission::Never => return None,
                    Admission::Now => {
                        return Some(self.count(&mut counts, allowance, from, user));
                    }
                    Admission::Later => {}
                }
            }
            settled.await;
        }
    }

    fn admission(
        &self,
        counts: &Counts,
        allowance: &Allowance,
        from: IpAddr,
        user: &str,
    ) -> Admission {
        let hash = |of| self.hasher.hash_one(of);
        let by = |of, most| counts.admission(hash(of), most);
        match counts.recall(hash(Of::Known(from, user))) {
            Some(_) => by(Of::Both(from, user), allowance.per_user),
            None => by(Of::Address(from), allowance.per_address)
                .and(by(Of::User(user), allowance.per_user)),
        }
    }

    fn count(
        self: &Arc<Self>,
        counts: &mut Counts,
        allowance: &Allowance,
        from: IpAddr,
        user: &str,
    ) -> Attempt {
        let hash = |of| self.hasher.hash_one(of);
        let (known, both) = (hash(Of::Known(from, user)), hash(Of::Both(from, user)));
        let mut counted = vec![hash(Of::Address(from)), hash(Of::User(user))];
        if counts.recall(known).is_some() {
            counted.push(both);
        }
        for of in &counted {
            *counts.begun.entry(*of).or_default() += 1;
        }
        Attempt {
            attempts: Arc::clone(self),
            time: allowance.time,
            delay: allowance.delay,
            counted,
            known,
            both,
            settled: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    /// Somebody was not this user. Gives how long the answer is to wait.
    pub(super) fn failed(mut self) -> Duration {
        self.fail()
    }

    /// Somebody was this user.
    pub(super) fn succeeded(mut self) {
        self.settle(|attempt, counts| {
            counts.remember(attempt.known, 0, KNOWN);
            counts.remembered.remove(&attempt.both);
        });
    }

    fn fail(&mut self) -> Duration {
        let mut most = 0;
        self.settle(|attempt, counts| {
            for of in &attempt.counted {
                let failures = counts.failures(*of).saturating_add(1);
                counts.remember(*of, failures, attempt.time);
                most = most.max(failures);
            }
        });
        let doublings = most.saturating_sub(1).min(DOUBLINGS);
        self.delay.saturating_mul(1 << doublings)
    }

    fn settle(&mut self, how: impl FnOnce(&Self, &mut Counts)) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let mut counts = self.attempts.lock();
        for of in &self.counted {
            counts.end(*of);
        }
        how(self, &mut counts);
        drop(counts);
        self.attempts.settled.notify_waiters();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let _ = self.fail();
    }
}

impl Admission {
    /// What two counts say together.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Later, _) | (_, Self::Later) => Self::Later,
            (Self::Now, Self::Now) => Self::Now,
        }
    }
}

impl Counts {
    fn admission(&self, of: u64, most: u32) -> Admission {
        let failures = self.failures(of);
        let begun = self.begun.get(&of).copied().unwrap_or(0);
        match () {
            () if failures >= most => Admission::Never,
            () if failures.saturating_add(begun) >= most => Admission::Later,
            () => Admission::Now,
        }
    }

    fn failures(&self, of: u64) -> u32 {
        self.recall(of).map_or(0, |of| of.failures)
    }

    fn recall(&self, of: u64) -> Option<Remembered> {
        let found = self.remembered.get(&of).copied();
        found.filter(|of| Instant::now() < of.forgotten)
    }

    /// An attempt that was counted for this has ended.
    fn end(&mut self, of: u64) {
        if let Some(begun) = self.begun.get_mut(&of) {
            *begun -= 1;
            if *begun == 0 {
                self.begun.remove(&of);
            }
        }
    }

    fn remember(&mut self, of: u64, failures: u32, time: Duration) {
        let now = Instant::now();
        let remembered = &mut self.remembered;
        if remembered.len() >= MOST {
            remembered.retain(|_, of| now < of.forgotten);
        }
        if remembered.len() >= MOST {
            let mut ends: Vec<_> = remembered.values().map(|of| of.forgotten).collect();
            let (_, middle, _) = ends.select_nth_unstable(MOST / 2);
            let middle = *middle;
            remembered.retain(|_, of| middle < of.forgotten);
        }
        let forgotten = now + time;
        remembered.insert(
            of,
            Remembered {
                failures,
                forgotten,
            },
        );
    }
}

/// What one host has: an address of IPv4, the first 64 bits of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        of_four => of_four,
    }
}

#[cfg(test)]
mod tests;
