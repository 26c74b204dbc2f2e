//! The retry schedule, with jitter, and the time to give up.

use std::time::Duration;

use gatepost_message::Millis;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::settings::Retry;

/// A retry schedule.
///
/// It is public so that an operator can be shown when a message will be tried.
#[derive(Debug)]
pub struct Schedule {
    settings: Retry,
    random: Mutex<StdRng>,
}

impl Schedule {
    /// Makes a schedule with these settings; jitter comes from their seed if they have one.
    pub fn new(settings: Retry) -> Self {
        let random = match settings.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_os_rng(),
        };
        Self {
            settings,
            random: Mutex::new(random),
        }
    }

    /// Returns the time of the next attempt for a recipient that has just been deferred, after
    /// `previous` earlier attempts; `None` if its message has expired.
    ///
    /// The last attempt falls on the expiry itself, however long the wait would have been.
    pub fn next(&self, expires_at: Millis, previous: u32, now: Millis) -> Option<Millis> {
        self.next_by(&self.settings.schedule, expires_at, previous, now)
    }

    /// Returns the same by other waits, with the jitter of this schedule.
    pub(crate) fn next_by(
        &self,
        waits: &[Duration],
        expires_at: Millis,
        previous: u32,
        now: Millis,
    ) -> Option<Millis> {
        (now < expires_at).then(|| (now + self.wait_by(waits, previous)).min(expires_at))
    }

    /// Returns the wait, with jitter, after an attempt that followed `previous` earlier ones.
    pub(crate) fn wait(&self, previous: u32) -> Duration {
        self.wait_by(&self.settings.schedule, previous)
    }

    /// Returns the same by other waits.
    pub(crate) fn wait_by(&self, waits: &[Duration], previous: u32) -> Duration {
        let Some(last) = waits.len().checked_sub(1) else {
            return Duration::ZERO;
        };
        let place = usize::try_from(previous).unwrap_or(usize::MAX).min(last);
        let jitter = self.settings.jitter.clamp(0.0, 1.0);
        let mut random = self.random.lock();
        waits[place].mul_f64(1.0 + random.random_range(-jitter..=jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;
    const EXPIRY: Millis = Millis(5 * 24 * 60 * MINUTE);

    fn schedule(jitter: f64, seed: u64) -> Schedule {
        Schedule::new(Retry {
            jitter,
            seed: Some(seed),
            ..Retry::default()
        })
    }

    #[test]
    fn waits_follow_the_schedule_and_the_last_one_repeats() {
        let schedule = schedule(0.0, 1);
        let waits: Vec<_> = (0..9)
            .map(|previous| schedule.next(EXPIRY, previous, Millis(0)).unwrap().0 / MINUTE)
            .collect();
        assert_eq!(waits, [1, 5, 15, 30, 60, 120, 240, 240, 240]);
    }

    #[test]
    fn jitter_stays_in_its_bounds_and_repeats_with_its_seed() {
        let waits = |seed| -> Vec<u64> {
            let schedule = schedule(0.1, seed);
            (0..200)
                .map(|_| schedule.next(EXPIRY, 4, Millis(0)).unwrap().0)
                .collect()
        };
        let first = waits(7);
        assert!(
            first
                .iter()
                .all(|wait| (54 * MINUTE..=66 * MINUTE).contains(wait))
        );
        assert!(first.iter().any(|wait| *wait < 58 * MINUTE));
        assert!(first.iter().any(|wait| *wait > 62 * MINUTE));
        assert_eq!(first, waits(7));
        assert_ne!(first, waits(8));
    }

    #[test]
    fn the_last_attempt_falls_on_the_expiry_and_then_no_more() {
        let schedule = schedule(0.0, 1);
        let shortly_before = Millis(EXPIRY.0 - MINUTE);
        assert_eq!(schedule.next(EXPIRY, 40, shortly_before), Some(EXPIRY));
        assert_eq!(schedule.next(EXPIRY, 41, EXPIRY), None);
    }
}
