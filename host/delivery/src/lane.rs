//! The lane to one destination: how much may go there now.
//!
//! A lane opens slowly: a destination that is new gets a few messages at once, and one more for
//! each that it takes, up to its limit. One whose limit somebody has set gets as many at once: that
//! is what they have agreed on. A session that is refused or does not come about closes
//! the lane for a time that grows; then one message goes as a probe, and if it gets through, the
//! lane is open again. A server that says it has too much closes the lane for a while and halves
//! what it gets.
//!
//! A lane knows only replies and times, so each of its rules is tested without a socket.

use std::time::Duration;

use gatepost_message::Millis;
use gatepost_smtp::Reply;
use gatepost_spool::Pace;

/// Messages that a destination gets at once at first, if its limit is not set.
const FIRST_WINDOW: u32 = 5;

/// Longest wait between two probes of a destination: a probe costs little.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30 * 60);

/// Time after which an unused lane is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10 * 60);

/// Limits of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaneLimits {
    /// Most messages in hand at once; at least 1.
    pub(crate) in_hand: u32,
    /// True if that was set for this destination.
    pub(crate) is_set: bool,
    /// Most messages in a minute.
    pub(crate) a_minute: Option<u32>,
}

impl LaneLimits {
    /// Returns the messages that a lane gets at once when it opens.
    fn first_window(self) -> u32 {
        match self.is_set {
            true => self.in_hand,
            false => FIRST_WINDOW,
        }
    }
}

/// State of a lane.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    limits: LaneLimits,
    /// Messages that may be in hand now.
    window: u32,
    /// Sessions that failed, one after another.
    failures: u32,
    /// Time before which nothing goes.
    closed_until: Millis,
    /// Last reply that closed the lane, and when it came.
    last_reply: Option<(Millis, Reply)>,
    /// Messages that may begin now, in thousandths; of the limit for a minute.
    tokens: u64,
    /// Time up to which the tokens are counted.
    counted_to: Millis,
    /// Time of the last use.
    used: Millis,
}

impl Lane {
    pub(crate) fn new(limits: LaneLimits, now: Millis) -> Self {
        Self {
            limits,
            window: limits.first_window(),
            failures: 0,
            closed_until: Millis(0),
            last_reply: None,
            tokens: u64::from(limits.a_minute.unwrap_or(0).min(FIRST_WINDOW)) * 1000,
            counted_to: now,
            used: now,
        }
    }

    /// Applies other limits, which a reload has brought.
    pub(crate) fn limit(&mut self, limits: LaneLimits) {
        self.limits = limits;
    }

    /// Returns what the queue may hand out.
    pub(crate) fn pace(&self) -> Pace {
        Pace {
            in_hand: match self.failures {
                0 => self.window.min(self.limits.in_hand).max(1),
                _ => 1,
            },
            not_before: self.closed_until,
        }
    }

    /// Takes leave for one message.
    ///
    /// # Errors
    /// The time from which on there is leave again.
    pub(crate) fn begin(&mut self, now: Millis) -> Result<(), Millis> {
        self.used = now;
        if now < self.closed_until {
            return Err(self.closed_until);
        }
        let Some(a_minute) = self.limits.a_minute else {
            return Ok(());
        };
        let a_minute = u64::from(a_minute.max(1));
        let passed = now.since(self.counted_to).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX).min(60_000);
        // A token is a thousand: `a_minute` of them come in 60,000 milliseconds.
        let grown = self.tokens + passed * a_minute / 60;
        self.tokens = grown.min(a_minute.min(u64::from(FIRST_WINDOW)) * 1000);
        self.counted_to = now;
        match self.tokens.checked_sub(1000) {
            Some(rest) => {
                self.tokens = rest;
                Ok(())
            }
            None => {
                let missing = (1000 - self.tokens) * 60 / a_minute;
                let again = now + Duration::from_millis(missing.max(1));
                self.closed_until = self.closed_until.max(again);
                self.last_reply = Some((now, no_more_for_now()));
                Err(again)
            }
        }
    }

    /// Notes that the server has taken a message, or has refused one for reasons of its own: the
    /// session works.
    pub(crate) fn worked(&mut self) {
        if self.failures > 0 {
            // The probe got through.
            self.failures = 0;
            self.window = self.limits.first_window();
            self.closed_until = Millis(0);
        }
        self.last_reply = None;
        self.window = self.window.saturating_add(1).min(self.limits.in_hand);
    }

    /// Notes that no session came about, and closes the lane for as long as `wait` says after so
    /// many earlier failures. Returns the time of the next probe. Several messages that fail at the
    /// same time are one failure.
    pub(crate) fn failed(
        &mut self,
        reply: &Reply,
        now: Millis,
        wait: impl FnOnce(u32) -> Duration,
    ) -> Millis {
        self.last_reply = Some((now, reply.clone()));
        if now >= self.closed_until {
            self.closed_until = now + wait(self.failures).min(LONGEST_BACKOFF);
            self.failures = self.failures.saturating_add(1);
            self.window = self.limits.first_window();
        }
        self.closed_until
    }

    /// Notes that the server has too much to do, or too many of our connections: it gets nothing
    /// for that time, and then half as much at once. Returns the end of that time.
    pub(crate) fn throttled(&mut self, reply: &Reply, now: Millis, wait: Duration) -> Millis {
        self.last_reply = Some((now, reply.clone()));
        if now >= self.closed_until {
            self.window = (self.window / 2).max(1);
            self.closed_until = now + wait;
        }
        self.closed_until
    }

    /// Closes the lane until that time, with the reply that says why. Then one message goes as a
    /// probe.
    pub(crate) fn close_until(&mut self, now: Millis, until: Millis, reply: &Reply) {
        self.last_reply = Some((now, reply.clone()));
        self.failures = self.failures.max(1);
        self.closed_until = self.closed_until.max(until);
    }

    /// Lets a closed lane try again at that time, if that is sooner: what closed it is mended.
    pub(crate) fn try_from(&mut self, time: Millis) {
        self.closed_until = self.closed_until.min(time);
    }

    /// Returns true if nothing goes at that time.
    pub(crate) fn is_closed(&self, now: Millis) -> bool {
        now < self.closed_until
    }

    /// Opens the lane for a probe at once: something was changed that may help.
    pub(crate) fn reopen(&mut self) {
        self.closed_until = Millis(0);
    }

    /// Returns true if nothing is lost when the lane is forgotten.
    pub(crate) fn is_idle(&self, now: Millis) -> bool {
        // Where mail waits, the queue hands out a probe as soon as the lane opens, which is a use.
        let unused_since = self.used.max(self.closed_until);
        now.since(unused_since) >= FORGOTTEN_AFTER
    }

    /// Returns the reply that closed the lane, with its time; none once mail gets through again.
    pub(crate) fn reason(&self) -> Option<&(Millis, Reply)> {
        self.last_reply.as_ref()
    }
}

/// Returns the reply with which mail over the limit of a minute waits.
fn no_more_for_now() -> Reply {
    let text = "the limits of the connection allow no more for now";
    Reply::new(451, "4.7.0", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000);

    fn lane(a_minute: Option<u32>) -> Lane {
        let in_hand = 20;
        let is_set = false;
        let limits = LaneLimits {
            in_hand,
            is_set,
            a_minute,
        };
        Lane::new(limits, NOW)
    }

    fn down() -> Reply {
        Reply::new(451, "4.4.1", "nobody answers")
    }

    #[test]
    fn a_lane_opens_slowly_up_to_its_limit() {
        let mut lane = lane(None);
        assert_eq!(lane.pace().in_hand, FIRST_WINDOW);
        lane.worked();
        assert_eq!(lane.pace().in_hand, FIRST_WINDOW + 1);
        (0..100).for_each(|_| lane.worked());
        assert_eq!(lane.pace().in_hand, 20);
    }

    #[test]
    fn a_lane_with_a_limit_of_its_own_opens_at_once() {
        let limits = LaneLimits {
            in_hand: 20,
            is_set: true,
            a_minute: None,
        };
        let mut lane = Lane::new(limits, NOW);
        assert_eq!(lane.pace().in_hand, 20);
        let probe = lane.failed(&down(), NOW, |_| Duration::from_secs(60));
        assert_eq!((lane.pace().in_hand, lane.begin(probe)), (1, Ok(())));
        lane.worked();
        assert_eq!(lane.pace().in_hand, 20);
    }

    #[test]
    fn a_dead_server_costs_one_probe_at_a_time_and_ever_longer_waits() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let mut lane = lane(None);
        let mut now = NOW;
        for (failures, wait) in [(0, 1), (1, 5), (2, 15), (3, 30), (4, 30)] {
            assert_eq!(lane.begin(now), Ok(()));
            let backoff = |before: u32| {
                assert_eq!(before, failures);
                [1, 5, 15, 30, 60].map(minutes)[before as usize]
            };
            let probe = lane.failed(&down(), now, backoff);
            assert_eq!(probe, now + minutes(wait));
            // Others that were on their way at the same time.
            let same = lane.failed(&down(), now, |_| panic!("no failure of its own"));
            assert_eq!((same, lane.begin(now)), (probe, Err(probe)));
            let pace = lane.pace();
            assert_eq!((pace.in_hand, pace.not_before), (1, probe));
            now = probe;
        }
        lane.worked();
        assert!(lane.pace().in_hand > FIRST_WINDOW && lane.begin(now) == Ok(()));
    }

    #[test]
    fn a_lane_that_nobody_uses_is_forgotten_even_if_its_server_is_dead() {
        let mut lane = lane(None);
        let probe = lane.failed(&down(), NOW, |_| Duration::from_secs(1800));
        assert!(!lane.is_idle(NOW) && !lane.is_idle(probe));
        assert!(!lane.is_idle(probe + FORGOTTEN_AFTER - Duration::from_millis(1)));
        assert!(lane.is_idle(probe + FORGOTTEN_AFTER));
        assert_eq!(lane.begin(probe), Ok(()));
        assert!(!lane.is_idle(probe + FORGOTTEN_AFTER - Duration::from_millis(1)));
    }

    #[test]
    fn a_reopened_lane_takes_one_probe_at_once() {
        let mut lane = lane(None);
        lane.close_until(NOW, NOW + Duration::from_secs(3600), &down());
        lane.reopen();
        assert_eq!((lane.begin(NOW), lane.pace().in_hand), (Ok(()), 1));
    }

    #[test]
    fn a_server_with_too_much_gets_half_after_a_while() {
        let mut lane = lane(None);
        (0..100).for_each(|_| lane.worked());
        let wait = Duration::from_secs(30);
        let again = lane.throttled(&down(), NOW, wait);
        assert_eq!(again, NOW + wait);
        lane.throttled(&down(), NOW, wait);
        assert_eq!((lane.pace().in_hand, lane.begin(again)), (10, Ok(())));
    }

    #[test]
    fn a_minute_has_as_many_messages_as_allowed() {
        let mut lane = lane(Some(30));
        let mut now = NOW;
        let mut begun = 0;
        while now < NOW + Duration::from_secs(600) {
            match lane.begin(now) {
                Ok(()) => begun += 1,
                Err(again) => {
                    assert!(again > now);
                    now = again;
                }
            }
        }
        assert!((300..=306).contains(&begun), "{begun}");
    }
}
