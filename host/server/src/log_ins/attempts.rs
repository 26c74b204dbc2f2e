//! How often somebody may fail to log in, by network address and by user.
//!
//! Failures are counted for the address, of IPv6 for its /64, since that is what one host has, and
//! for the user, be there such a user or not. Each answer to one comes later than that to the one
//! before, and after so many there is none for a while. An address from which this user has logged in
//! lately is known for the user, and has a count of its own for the two, which the next success ends:
//! else whoever guesses, or has a forgotten password in a device behind the same address, could keep
//! others out.
//!
//! Kept in memory, by hashes with a key of the process, so that long names cost nothing; when there
//! is too much of it, what is oldest goes. Libraries that limit rates count each try; this counts
//! those that fail, which is known only afterwards.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much is remembered: 100 octets each, with the table's room.
const MOST: usize = 100_000;

/// How long an address is known as one from which a user has logged in.
const KNOWN: Duration = Duration::from_secs(24 * 60 * 60);

/// How often the delay doubles.
const DOUBLINGS: u32 = 4;

/// How many failures there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// From one address.
    pub per_address: u32,
    /// For one user.
    pub per_user: u32,
    /// How long after the last of them it is forgotten how many there were.
    pub time: Duration,
    /// How long the answer to a first failure takes.
    pub delay: Duration,
}

/// What failed lately, and what did not.
#[derive(Debug, Default)]
pub struct Attempts {
    remembered: Mutex<HashMap<u64, Remembered>>,
    hasher: RandomState,
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

impl Attempts {
    /// Whether somebody may try to be this user.
    pub(super) fn admits(&self, allowance: &Allowance, from: IpAddr, user: &str) -> bool {
        let from = network(from);
        let remembered = self.lock();
        if self.recall(&remembered, Of::Known(from, user)).is_some() {
            return self.failures(&remembered, Of::Both(from, user)) < allowance.per_user;
        }
        self.failures(&remembered, Of::Address(from)) < allowance.per_address
            && self.failures(&remembered, Of::User(user)) < allowance.per_user
    }

    /// Somebody was not this user. Gives how long the answer is to wait.
    pub(super) fn failed(&self, allowance: &Allowance, from: IpAddr, user: &str) -> Duration {
        let from = network(from);
        let mut remembered = self.lock();
        let is_known = self.recall(&remembered, Of::Known(from, user)).is_some();
        let both = is_known.then_some(Of::Both(from, user));
        let mut most = 0;
        for of in [Of::Address(from), Of::User(user)].into_iter().chain(both) {
            let failures = self.failures(&remembered, of).saturating_add(1);
            self.remember(&mut remembered, of, failures, allowance.time);
            most = most.max(failures);
        }
        let doublings = most.saturating_sub(1).min(DOUBLINGS);
        allowance.delay.saturating_mul(1 << doublings)
    }

    /// Somebody was this user.
    pub(super) fn succeeded(&self, from: IpAddr, user: &str) {
        let from = network(from);
        let mut remembered = self.lock();
        self.remember(&mut remembered, Of::Known(from, user), 0, KNOWN);
        let both = self.hasher.hash_one(Of::Both(from, user));
        remembered.remove(&both);
    }

    fn failures(&self, remembered: &HashMap<u64, Remembered>, of: Of<'_>) -> u32 {
        self.recall(remembered, of).map_or(0, |of| of.failures)
    }

    fn recall(&self, remembered: &HashMap<u64, Remembered>, of: Of<'_>) -> Option<Remembered> {
        let found = remembered.get(&self.hasher.hash_one(of)).copied();
        found.filter(|of| Instant::now() < of.forgotten)
    }

    fn remember(
        &self,
        remembered: &mut HashMap<u64, Remembered>,
        of: Of<'_>,
        failures: u32,
        time: Duration,
    ) {
        let now = Instant::now();
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
        let of = self.hasher.hash_one(of);
        remembered.insert(
            of,
            Remembered {
                failures,
                forgotten,
            },
        );
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Remembered>> {
        let remembered = self.remembered.lock();
        remembered.unwrap_or_else(PoisonError::into_inner)
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
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance {
        per_address: 4,
        per_user: 3,
        time: Duration::from_secs(60),
        delay: Duration::from_secs(1),
    };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_answer_comes_later_until_there_is_none() {
        let attempts = Attempts::default();
        let (one, other) = (address("2001:db8::1"), address("2001:db8::ffff:1"));
        for (number, seconds) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
            let user = format!("user{number}");
            assert!(attempts.admits(&ALLOWANCE, one, &user));
            let delay = attempts.failed(&ALLOWANCE, other, &user);
            assert_eq!(delay, Duration::from_secs(seconds));
        }
        assert!(!attempts.admits(&ALLOWANCE, one, "user5"));
        assert!(attempts.admits(&ALLOWANCE, address("2001:db8:0:1::1"), "user5"));
    }

    #[test]
    fn a_user_is_limited_from_everywhere_but_where_it_has_logged_in() {
        let attempts = Attempts::default();
        attempts.succeeded(address("192.0.2.1"), "user");
        for last in 2..5 {
            attempts.failed(&ALLOWANCE, address(&format!("192.0.2.{last}")), "user");
        }
        assert!(!attempts.admits(&ALLOWANCE, address("192.0.2.9"), "user"));
        assert!(attempts.admits(&ALLOWANCE, address("192.0.2.9"), "other"));
        assert!(attempts.admits(&ALLOWANCE, address("::ffff:192.0.2.1"), "user"));
    }

    /// A customer's own server, behind whose address somebody guesses, or itself with the old
    /// password for a while.
    #[test]
    fn where_a_user_has_logged_in_it_has_a_count_of_its_own() {
        let attempts = Attempts::default();
        let home = address("192.0.2.1");
        attempts.succeeded(home, "user");
        for number in 0..4 {
            attempts.failed(&ALLOWANCE, home, &format!("guess{number}"));
        }
        assert!(!attempts.admits(&ALLOWANCE, home, "guess9"));
        for _ in 0..2 {
            attempts.failed(&ALLOWANCE, home, "user");
        }
        assert!(attempts.admits(&ALLOWANCE, home, "user"));
        attempts.succeeded(home, "user");
        for _ in 0..3 {
            assert!(attempts.admits(&ALLOWANCE, home, "user"));
            attempts.failed(&ALLOWANCE, home, "user");
        }
        assert!(!attempts.admits(&ALLOWANCE, home, "user"));
    }

    #[test]
    fn what_is_remembered_is_forgotten_and_bounded() {
        let attempts = Attempts::default();
        let at_once = Allowance {
            time: Duration::ZERO,
            per_user: 1,
            ..ALLOWANCE
        };
        attempts.failed(&at_once, address("192.0.2.1"), "user");
        assert!(attempts.admits(&at_once, address("192.0.2.1"), "user"));
        let once = Allowance {
            per_user: 1,
            ..ALLOWANCE
        };
        for number in 0..MOST {
            attempts.failed(&once, address("192.0.2.1"), &number.to_string());
        }
        assert!(attempts.lock().len() <= MOST);
        let last = (MOST - 1).to_string();
        assert!(!attempts.admits(&once, address("192.0.2.2"), &last));
        assert!(attempts.admits(&once, address("192.0.2.2"), "0"));
    }
}
