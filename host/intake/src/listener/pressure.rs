//! Shorter time-outs for silent clients while connection permits run short.
//!
//! RFC 5321 section 4.5.3.2.7 asks for five minutes, which cost nothing as long as there are
//! permits. The fewer a listener has left, the sooner its silent clients make room for others. A
//! client that sends something in time keeps its permit, whatever it sends.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Shortest time-out under pressure.
const SHORTEST: Duration = Duration::from_secs(1);

/// Scarcity of permits on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Pressure {
    /// More than a quarter is free.
    #[default]
    None,
    /// A quarter or less is free: a quarter of the time.
    Some,
    /// An eighth or less: a sixteenth of the time.
    High,
    /// A sixteenth or less: a sixty-fourth of the time.
    Highest,
}

impl Pressure {
    /// Returns the pressure on a listener with so many permits, of which so many are free.
    pub(super) fn of(free: usize, permits: usize) -> Self {
        match () {
            () if free.saturating_mul(4) > permits => Self::None,
            () if free.saturating_mul(8) > permits => Self::Some,
            () if free.saturating_mul(16) > permits => Self::High,
            () => Self::Highest,
        }
    }

    /// Returns the pressure one level lower, for a client in the middle of a transaction.
    fn relieved(self) -> Self {
        match self {
            Self::None | Self::Some => Self::None,
            Self::High => Self::Some,
            Self::Highest => Self::High,
        }
    }

    /// Returns the time-out under this pressure.
    pub fn idle_timeout(self, usual: Duration) -> Duration {
        let part = match self {
            Self::None => return usual,
            Self::Some => usual / 4,
            Self::High => usual / 16,
            Self::Highest => usual / 64,
        };
        part.max(SHORTEST).min(usual)
    }
}

/// Timer of one session's silent client, which follows the pressure on its listener.
#[derive(Debug, Clone)]
pub struct IdleTimer(pub(super) watch::Receiver<Pressure>);

impl IdleTimer {
    /// Waits until the client has been silent too long since then, or until `latest`. `usual` is
    /// the time-out without pressure; in the middle of a transaction (`in_hand`) it is cut less.
    pub async fn expired(
        &mut self,
        since: Instant,
        usual: Duration,
        in_hand: bool,
        latest: Instant,
    ) {
        loop {
            let pressure = *self.0.borrow_and_update();
            let pressure = match in_hand {
                true => pressure.relieved(),
                false => pressure,
            };
            let over = since + pressure.idle_timeout(usual);
            tokio::select! {
                () = sleep_until(over.min(latest)) => return,
                changed = self.0.changed() => if changed.is_err() {
                    // Nobody counts any more.
                    return sleep_until((since + usual).min(latest)).await;
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_permits_mean_a_shorter_timeout_and_never_a_longer_one() {
        for permits in 0..200 {
            let mut before = Pressure::Highest;
            for free in 0..=permits {
                let pressure = Pressure::of(free, permits);
                assert!(pressure <= before, "{free} of {permits}");
                before = pressure;
            }
            assert_eq!(Pressure::of(0, permits), Pressure::Highest);
        }
        for usual in [0, 500, 64_000, 300_000].map(Duration::from_millis) {
            let steps = [
                Pressure::None,
                Pressure::Some,
                Pressure::High,
                Pressure::Highest,
            ];
            let times = steps.map(|step| step.idle_timeout(usual));
            assert_eq!(times[0], usual);
            assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
            assert!(steps.map(|s| s.relieved() <= s).iter().all(|less| *less));
        }
        let minutes = Duration::from_secs(300);
        assert_eq!(
            Pressure::Some.idle_timeout(minutes),
            Duration::from_secs(75)
        );
        assert_eq!(
            Pressure::Highest.idle_timeout(minutes),
            Duration::from_micros(4_687_500)
        );
    }

    /// A session that already waits sees the new pressure, and its waiting so far counts.
    #[tokio::test]
    async fn pressure_shortens_a_wait_that_has_begun() {
        let (tell, told) = watch::channel(Pressure::None);
        let usual = Duration::from_secs(64);
        let Some(begun) = Instant::now().checked_sub(SHORTEST) else {
            return;
        };
        let latest = begun + Duration::from_secs(3600);
        let mut idle_timer = IdleTimer(told);
        let waiting = tokio::spawn(async move {
            idle_timer.expired(begun, usual, false, latest).await;
        });
        tell.send_replace(Pressure::Highest);
        let ended = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        assert!(ended.is_ok_and(|ended| ended.is_ok()));
    }
}
