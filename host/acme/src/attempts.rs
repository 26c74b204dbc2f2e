//! Record of attempts, and the time of the next one.
//!
//! It is written before an attempt begins, as if that had failed, and again when its end is known: a
//! relay that is restarted over and over asks the authority no more often than one that runs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::AcmeSettings;

/// Span in which certificates are counted.
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Longest wait after failures, unless the shortest one is longer.
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// Shortest wait while nobody answers, unless the configured one is shorter.
const UNREACHABLE: Duration = Duration::from_secs(60);

/// Longest wait while nobody answers, unless the shortest one is longer.
const LONGEST_UNREACHABLE: Duration = Duration::from_secs(3600);

/// Wait where the authority says that it is asked too often, and not when it may be asked again.
const RATE_LIMITED: Duration = Duration::from_secs(3600);

/// Longest wait that an authority can demand.
const DEMANDED: Duration = WEEK;

/// Time by which clocks may differ.
const CLOCK: Duration = Duration::from_secs(3600);

/// Most times of certificates that are kept.
const MOST_ISSUED: usize = 1000;

/// Cause of a failure, as far as waiting depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureCause {
    /// The authority was not reached.
    Unreachable,
    /// It refused, or a name was not validated.
    Refused,
    /// It says that it is asked too often.
    RateLimited,
}

/// Record of attempts for one order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attempts {
    directory: String,
    names: Vec<String>,
    /// Failures since the last certificate.
    failures: u32,
    /// Earliest time of the next attempt, in seconds since 1970.
    not_before: u64,
    /// Times of certificates, oldest first, in seconds since 1970.
    issued: Vec<u64>,
}

impl Attempts {
    /// Returns this record, or an empty one where other names are ordered now, or elsewhere: what
    /// failed before says nothing about that.
    pub(crate) fn of(self, settings: &AcmeSettings) -> Self {
        match self.directory == settings.directory && self.names == settings.names {
            true => self,
            false => Self {
                directory: settings.directory.clone(),
                names: settings.names.clone(),
                ..Self::default()
            },
        }
    }

    /// Returns the number of failures since the last certificate.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns the time of the next attempt where a certificate is wanted at `wanted`.
    pub(crate) fn due(
        &self,
        wanted: SystemTime,
        settings: &AcmeSettings,
        now: SystemTime,
    ) -> SystemTime {
        let waits = [self.not_before, self.quota_ends(settings, now)];
        let waits = waits.map(|end| UNIX_EPOCH + Duration::from_secs(end));
        // A wait that no rule gives comes of a clock that was wrong when it was written.
        let is_sane = |end: &SystemTime| *end <= now + DEMANDED + CLOCK;
        (waits.into_iter().filter(is_sane)).fold(wanted, SystemTime::max)
    }

    /// Returns the time at which the quota of a week has room again; 0 if it has.
    fn quota_ends(&self, settings: &AcmeSettings, now: SystemTime) -> u64 {
        let now = seconds(now);
        let week = WEEK.as_secs();
        let mut counted: Vec<u64> = (self.issued.iter().copied())
            .filter(|at| *at <= now && now - at < week)
            .collect();
        counted.sort_unstable();
        let quota = settings.certificates_a_week as usize;
        match counted.len().checked_sub(quota) {
            Some(over) => counted.get(over).map_or(0, |at| at + week),
            None => 0,
        }
    }

    /// Notes that an attempt begins: until its end is known, it counts as one that failed.
    pub(crate) fn begin(&mut self, settings: &AcmeSettings, jitter: f64, now: SystemTime) {
        self.failures = self.failures.saturating_add(1);
        self.wait(FailureCause::Refused, settings, jitter, None, now);
    }

    /// Notes that the attempt that has begun failed. `demanded` is the wait that the authority asks
    /// for.
    pub(crate) fn failed(
        &mut self,
        cause: FailureCause,
        settings: &AcmeSettings,
        jitter: f64,
        demanded: Option<Duration>,
        now: SystemTime,
    ) {
        self.wait(cause, settings, jitter, demanded, now);
    }

    /// Notes a certificate.
    pub(crate) fn issued(&mut self, now: SystemTime) {
        (self.failures, self.not_before) = (0, 0);
        self.issued.push(seconds(now));
        let over = self.issued.len().saturating_sub(MOST_ISSUED);
        self.issued.drain(..over);
    }

    fn wait(
        &mut self,
        cause: FailureCause,
        settings: &AcmeSettings,
        jitter: f64,
        demanded: Option<Duration>,
        now: SystemTime,
    ) {
        let (shortest, longest) = match cause {
            FailureCause::Unreachable => (UNREACHABLE.min(settings.retry), LONGEST_UNREACHABLE),
            FailureCause::Refused | FailureCause::RateLimited => (settings.retry, LONGEST),
        };
        let doublings = self.failures.saturating_sub(1).min(30);
        let wait = shortest.saturating_mul(1 << doublings);
        let wait = wait.min(longest.max(shortest));
        // A quarter more at most, so that relays that failed together do not come back together.
        let wait = wait + wait.mul_f64(jitter.clamp(0.0, 1.0) / 4.0);
        let limited = match cause {
            FailureCause::RateLimited => demanded.or(Some(RATE_LIMITED)),
            FailureCause::Unreachable | FailureCause::Refused => demanded,
        };
        let wait = wait.max(limited.unwrap_or_default()).min(DEMANDED);
        self.not_before = seconds(now + wait);
    }
}

/// Returns the time in seconds since 1970, rounded up: no wait is shortened.
fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() + u64::from(since.subsec_nanos() > 0)
}

/// Returns the time at which a certificate is renewed: so long before its end, or when a third of its
/// life is left. A time in the first third of its life is too early: then it would be renewed over and
/// over.
pub(crate) fn renewal(
    (begins, ends): (SystemTime, SystemTime),
    before: Option<Duration>,
) -> SystemTime {
    let life = ends.duration_since(begins).unwrap_or_default();
    let before = before.unwrap_or(life / 3).min(life - life / 3);
    ends - before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChallengeKind;

    fn settings() -> AcmeSettings {
        AcmeSettings {
            directory: "https://ca.example/directory".to_owned(),
            contact: Vec::new(),
            names: vec!["mx.desk.example".to_owned()],
            challenge: ChallengeKind::Http01,
            renew_before: None,
            retry: Duration::from_secs(900),
            certificates_a_week: 5,
            ca_file: None,
            external_account: None,
        }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    /// Seconds from an attempt to the next one, after so many failures of one cause.
    fn waits(cause: FailureCause, demanded: Option<Duration>, jitter: f64) -> Vec<u64> {
        let (settings, mut attempts) = (settings(), Attempts::default());
        let wait = |_| {
            attempts.begin(&settings, jitter, at(0));
            attempts.failed(cause, &settings, jitter, demanded, at(0));
            let due = attempts.due(at(0), &settings, at(0));
            due.duration_since(at(0)).unwrap().as_secs()
        };
        (0..8).map(wait).collect()
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        let refused = [900, 1800, 3600, 7200, 14400, 21600, 21600, 21600];
        assert_eq!(waits(FailureCause::Refused, None, 0.0), refused);
        let unreachable = [60, 120, 240, 480, 960, 1920, 3600, 3600];
        assert_eq!(waits(FailureCause::Unreachable, None, 0.0), unreachable);
        assert_eq!(waits(FailureCause::Refused, None, 1.0)[0], 1125);
    }

    #[test]
    fn the_authority_s_wait_is_obeyed_and_bounded() {
        let limited = waits(FailureCause::RateLimited, None, 0.0);
        assert_eq!(limited[..4], [3600, 3600, 3600, 7200]);
        let day = Some(Duration::from_secs(86_400));
        assert_eq!(waits(FailureCause::RateLimited, day, 0.0), [86_400; 8]);
        assert_eq!(waits(FailureCause::Refused, day, 0.0), [86_400; 8]);
        let century = Some(Duration::from_secs(100 * 365 * 86_400));
        let week = WEEK.as_secs();
        assert_eq!(waits(FailureCause::RateLimited, century, 0.0), [week; 8]);
    }

    #[test]
    fn an_attempt_that_never_ended_counts_as_failed() {
        let (settings, mut attempts) = (settings(), Attempts::default());
        attempts.begin(&settings, 0.0, at(0));
        let text = serde_json::to_string(&attempts).unwrap();
        let read: Attempts = serde_json::from_str(&text).unwrap();
        assert_eq!(read.due(at(0), &settings, at(10)), at(900));
        // Other names are another order.
        let other = AcmeSettings {
            names: vec!["other.example".to_owned()],
            ..settings
        };
        assert_eq!(read.of(&other).due(at(0), &other, at(10)), at(0));
    }

    #[test]
    fn no_more_certificates_are_ordered_in_a_week_than_allowed() {
        let (settings, mut attempts) = (settings(), Attempts::default());
        for hour in 0..5 {
            let now = at(hour * 3600);
            assert_eq!(attempts.due(now, &settings, now), now);
            attempts.begin(&settings, 0.0, now);
            attempts.issued(now);
        }
        let now = at(5 * 3600);
        assert_eq!(attempts.due(now, &settings, now), at(WEEK.as_secs()));
        attempts.issued(now);
        assert_eq!(attempts.due(now, &settings, now), at(3600 + WEEK.as_secs()));
        let later = at(30 * 86_400);
        assert_eq!(attempts.due(later, &settings, later), later);
    }

    #[test]
    fn a_wait_of_a_wrong_clock_is_not_kept() {
        let (settings, mut attempts) = (settings(), Attempts::default());
        attempts.begin(&settings, 0.0, at(400 * 86_400));
        assert_eq!(attempts.due(at(0), &settings, at(0)), at(0));
    }

    #[test]
    fn a_certificate_is_renewed_in_time_and_not_over_and_over() {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let life = (at(0), at(90 * 86_400));
        for (before, day) in [(None, 60), (Some(10), 80), (Some(60), 30), (Some(400), 30)] {
            assert_eq!(
                renewal(life, before.map(days)),
                at(day * 86_400),
                "{before:?}"
            );
        }
    }
}
