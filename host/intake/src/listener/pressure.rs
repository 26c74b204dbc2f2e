//! How long a client may be silent while places run short.
//!
//! RFC 5321 section 4.5.3.2.7 asks for five minutes, which are free as long as there are places.
//! The fewer a listener has left, the sooner its silent clients make room for others. A client that
//! says something in time keeps its place, whatever it says.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The shortest patience that pressure leads to.
const LEAST: Duration = Duration::from_secs(1);

/// How few places are left, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Pressure {
    /// More than a quarter of them.
    #[default]
    None,
    /// A quarter of them or less: a quarter of the time.
    Some,
    /// An eighth or less: a sixteenth of the time.
    High,
    /// A sixteenth or less: a sixty-fourth of the time.
    Highest,
}

impl Pressure {
    /// That of a listener which may have so many places, of which so many are free.
    pub(super) fn of(free: usize, places: usize) -> Self {
        match () {
            () if free.saturating_mul(4) > places => Self::None,
            () if free.saturating_mul(8) > places => Self::Some,
            () if free.saturating_mul(16) > places => Self::High,
            () => Self::Highest,
        }
    }

    /// A step less, for a client in the middle of a transaction.
    fn relieved(self) -> Self {
        match self {
            Self::None | Self::Some => Self::None,
            Self::High => Self::Some,
            Self::Highest => Self::High,
        }
    }

    /// How long a client may be silent that otherwise has so long.
    pub fn patience(self, usual: Duration) -> Duration {
        let part = match self {
            Self::None => return usual,
            Self::Some => usual / 4,
            Self::High => usual / 16,
            Self::Highest => usual / 64,
        };
        part.max(LEAST).min(usual)
    }
}

/// What one session knows of the pressure on its listener, as it changes.
#[derive(Debug, Clone)]
pub struct Patience(pub(super) watch::Receiver<Pressure>);

impl Patience {
    /// Ends when a client that has been silent since then has been so for too long, or when it is
    /// `latest`. `usual` is the time without pressure; in the middle of a transaction
    /// (`in_hand`) there is more of it.
    pub async fn runs_out(
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
            let over = since + pressure.patience(usual);
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
    fn fewer_places_mean_less_patience_and_never_more_than_is_usual() {
        for places in 0..200 {
            let mut before = Pressure::Highest;
            for free in 0..=places {
                let pressure = Pressure::of(free, places);
                assert!(pressure <= before, "{free} of {places}");
                before = pressure;
            }
            assert_eq!(Pressure::of(0, places), Pressure::Highest);
        }
        for usual in [0, 500, 64_000, 300_000].map(Duration::from_millis) {
            let steps = [
                Pressure::None,
                Pressure::Some,
                Pressure::High,
                Pressure::Highest,
            ];
            let times = steps.map(|step| step.patience(usual));
            assert_eq!(times[0], usual);
            assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
            assert!(steps.map(|s| s.relieved() <= s).iter().all(|less| *less));
        }
        let minutes = Duration::from_secs(300);
        assert_eq!(Pressure::Some.patience(minutes), Duration::from_secs(75));
        assert_eq!(
            Pressure::Highest.patience(minutes),
            Duration::from_micros(4_687_500)
        );
    }

    /// A session that already waits hears of it: what it has waited counts.
    #[tokio::test]
    async fn who_waits_already_is_waited_for_less() {
        let (tell, told) = watch::channel(Pressure::None);
        let usual = Duration::from_secs(64);
        let Some(begun) = Instant::now().checked_sub(LEAST) else {
            return;
        };
        let latest = begun + Duration::from_secs(3600);
        let mut patience = Patience(told);
        let waiting = tokio::spawn(async move {
            patience.runs_out(begun, usual, false, latest).await;
        });
        tell.send_replace(Pressure::Highest);
        let ended = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        assert!(ended.is_ok_and(|ended| ended.is_ok()));
    }
}
