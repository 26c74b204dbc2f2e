//! Bounds on failed authentication attempts, by network address and by user.
//!
//! An attempt is counted when it [begins](AuthenticationAttempts::begin): for the address (an IPv6
//! /64, since one host has that) and for the user, existing or not. An attempt that succeeds is
//! given back. Until attempts in progress are settled, no more are let through than may fail: the
//! surplus waits. So parallel guesses are as few as sequential ones.
//!
//! The reply to each failure is delayed longer than the one before, and after a number of failures
//! attempts are refused for a while. An address from which this user has logged in lately is known
//! for the user, and the pair has a count of its own, which the next success clears: otherwise
//! whoever guesses, or has an old password in a device behind the same address, could lock others
//! out.
//!
//! The counts are kept in memory, under hashes with a key of the process, so that long names cost
//! nothing; the oldest are dropped when there are too many. Libraries for rate limits count every
//! try; this counts failures, which are known only afterwards.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_config::Allowance;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::network::network;

/// Most counts that are kept: 100 bytes each, with the table's spare room.
const MOST: usize = 100_000;

/// Time for which an address is known as one from which a user has logged in.
const KNOWN: Duration = Duration::from_secs(24 * 60 * 60);

/// Most doublings of the delay.
const DOUBLINGS: u32 = 4;

/// Recent failures, known addresses, and attempts in progress.
#[derive(Debug, Default)]
pub struct AuthenticationAttempts {
    counts: Mutex<AttemptCounts>,
    /// Signals that an attempt is settled.
    settled: Notify,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct AttemptCounts {
    remembered: HashMap<u64, FailureCount>,
    /// Attempts in progress. Each is a session's, so there are no more than connections.
    begun: HashMap<u64, u32>,
}

#[derive(Debug, Clone, Copy)]
struct FailureCount {
    failures: u32,
    forgotten: Instant,
}

/// Subject of a count.
#[derive(Clone, Copy, Hash)]
enum Of<'a> {
    Address(IpAddr),
    User(&'a str),
    /// The user at an address from which it has logged in.
    Both(IpAddr, &'a str),
    /// The fact that the user has logged in from the address.
    Known(IpAddr, &'a str),
}

/// Answer to whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttemptAdmission {
    Now,
    /// Only once attempts in progress are settled.
    Later,
    /// No: too many have failed.
    Never,
}

/// An attempt in progress. It counts as a failure until it has succeeded, and for good when it is
/// dropped.
#[derive(Debug)]
#[must_use = "an attempt that is dropped has failed"]
pub(super) struct AuthenticationAttempt {
    attempts: Arc<AuthenticationAttempts>,
    time: Duration,
    delay: Duration,
    /// Hashes under which it is counted.
    counted: Vec<u64>,
    /// Hash under which its success is remembered, and that of the count which a success clears.
    known: u64,
    both: u64,
    settled: bool,
}

impl AuthenticationAttempts {
    /// Returns true if an attempt for this user might be admitted.
    pub(super) fn admits(&self, allowance: &Allowance, from: IpAddr, user: &str) -> bool {
        let counts = self.lock();
        self.admission(&counts, allowance, network(from), user) != AttemptAdmission::Never
    }

    /// Returns true if too many attempts for this user have failed, from wherever.
    pub(super) fn is_locked_out(&self, allowance: &Allowance, user: &str) -> bool {
        let counts = self.lock();
        counts.failures(self.hasher.hash_one(Of::User(user))) >= allowance.per_user
    }

    /// Begins an attempt for this user; returns `None` after too many failures. Waits while
    /// attempts in progress may yet turn out to be too many.
    pub(super) async fn begin(
        self: &Arc<Self>,
        allowance: &Allowance,
        from: IpAddr,
        user: &str,
    ) -> Option<AuthenticationAttempt> {
        let from = network(from);
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // From here on no settlement is missed.
            settled.as_mut().enable();
            {
                let mut counts = self.lock();
                match self.admission(&counts, allowance, from, user) {
                    AttemptAdmission::Never => return None,
                    AttemptAdmission::Now => {
                        return Some(self.count(&mut counts, allowance, from, user));
                    }
                    AttemptAdmission::Later => {}
                }
            }
            settled.await;
        }
    }

    fn admission(
        &self,
        counts: &AttemptCounts,
        allowance: &Allowance,
        from: IpAddr,
        user: &str,
    ) -> AttemptAdmission {
        let hash = |of| self.hasher.hash_one(of);
        let by = |of, most| counts.admission(hash(of), most);
        match counts.recall(hash(Of::Known(from, user))) {
            Some(_) => by(Of::Both(from, user), allowance.per_user),
            None => by(Of::Address(from), allowance.per_address)
                .or_stricter(by(Of::User(user), allowance.per_user)),
        }
    }

    fn count(
        self: &Arc<Self>,
        counts: &mut AttemptCounts,
        allowance: &Allowance,
        from: IpAddr,
        user: &str,
    ) -> AuthenticationAttempt {
        let hash = |of| self.hasher.hash_one(of);
        let (known, both) = (hash(Of::Known(from, user)), hash(Of::Both(from, user)));
        let mut counted = vec![hash(Of::Address(from)), hash(Of::User(user))];
        if counts.recall(known).is_some() {
            counted.push(both);
        }
        for of in &counted {
            *counts.begun.entry(*of).or_default() += 1;
        }
        AuthenticationAttempt {
            attempts: Arc::clone(self),
            time: allowance.time,
            delay: allowance.delay,
            counted,
            known,
            both,
            settled: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, AttemptCounts> {
        self.counts.lock()
    }
}

impl AuthenticationAttempt {
    /// Records a failure; returns the delay before the reply.
    pub(super) fn failed(mut self) -> Duration {
        self.fail()
    }

    /// Records a success.
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

    fn settle(&mut self, how: impl FnOnce(&Self, &mut AttemptCounts)) {
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

impl Drop for AuthenticationAttempt {
    fn drop(&mut self) {
        let _ = self.fail();
    }
}

impl AttemptAdmission {
    /// Returns the stricter of two answers.
    fn or_stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Later, _) | (_, Self::Later) => Self::Later,
            (Self::Now, Self::Now) => Self::Now,
        }
    }
}

impl AttemptCounts {
    fn admission(&self, of: u64, most: u32) -> AttemptAdmission {
        let failures = self.failures(of);
        let begun = self.begun.get(&of).copied().unwrap_or(0);
        match () {
            () if failures >= most => AttemptAdmission::Never,
            () if failures.saturating_add(begun) >= most => AttemptAdmission::Later,
            () => AttemptAdmission::Now,
        }
    }

    fn failures(&self, of: u64) -> u32 {
        self.recall(of).map_or(0, |of| of.failures)
    }

    fn recall(&self, of: u64) -> Option<FailureCount> {
        let found = self.remembered.get(&of).copied();
        found.filter(|of| Instant::now() < of.forgotten)
    }

    /// Ends an attempt that was counted here.
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
            FailureCount {
                failures,
                forgotten,
            },
        );
    }
}

#[cfg(test)]
mod tests;
