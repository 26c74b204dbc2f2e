//! Thresholds of a rollout, and the watch over them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Ppm, RateTest};

/// Thresholds of a rollout: the highest rate of each harm, in calls of the share; `None` for any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Thresholds {
    /// Highest rate of verdicts that differ from the active version's.
    pub max_changed: Option<Ppm>,
    /// Highest rate of faults where the active version had none.
    pub max_faults: Option<Ppm>,
    /// Highest rate of calls that took longer than `slower-than`.
    pub max_slow: Option<Ppm>,
    /// Time of a call, in microseconds, above which it is slow.
    pub slower_than: u64,
    /// Highest rate of calls that wrote more than `flood` octets to the log.
    pub max_flood: Option<Ppm>,
    /// Octets of log lines in a call above which it floods the log.
    pub flood: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            max_changed: Some(Ppm::percent(1)),
            max_faults: Some(Ppm::parts(1_000)),
            max_slow: Some(Ppm::percent(1)),
            slower_than: 10_000,
            max_flood: Some(Ppm::percent(1)),
            flood: 2_000,
        }
    }
}

/// Harm that a candidate may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutHarm {
    /// Another verdict than the active version's.
    Changed,
    /// A fault where the active version had none.
    Fault,
    /// A slow call.
    Slow,
    /// A call that floods the log.
    Flood,
}

impl RolloutHarm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Changed, Self::Fault, Self::Slow, Self::Flood];

    fn of(self, thresholds: &Thresholds) -> Option<Ppm> {
        match self {
            Self::Changed => thresholds.max_changed,
            Self::Fault => thresholds.max_faults,
            Self::Slow => thresholds.max_slow,
            Self::Flood => thresholds.max_flood,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Changed => "verdicts changed",
            Self::Fault => "calls failed where the active version did not",
            Self::Slow => "calls were slow",
            Self::Flood => "calls flooded the log",
        }
    }
}

/// One call of the share: what the candidate did, beside the active version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observation {
    /// Its verdict is another.
    pub changed: bool,
    /// It failed where the active version did not.
    pub faulted: bool,
    /// Time that it took, in microseconds.
    pub micros: u64,
    /// Octets that it wrote to the log.
    pub logged: u64,
}

impl Observation {
    fn has(&self, harm: RolloutHarm, thresholds: &Thresholds) -> bool {
        match harm {
            RolloutHarm::Changed => self.changed,
            RolloutHarm::Fault => self.faulted,
            RolloutHarm::Slow => self.micros > thresholds.slower_than,
            RolloutHarm::Flood => self.logged > thresholds.flood,
        }
    }
}

/// Numbers of what was observed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct ObservationCounts {
    /// Calls that both versions answered.
    pub compared: u64,
    /// Verdicts that changed.
    pub changed: u64,
    /// Faults where the active version had none.
    pub faults: u64,
    /// Slow calls.
    pub slow: u64,
    /// Calls that flooded the log.
    pub flooding: u64,
}

/// Rate that was found above its threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Breach {
    /// Harm.
    pub harm: RolloutHarm,
    /// Calls that did it.
    pub events: u64,
    /// All calls.
    pub calls: u64,
    /// Threshold.
    pub threshold: Ppm,
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            harm,
            events,
            calls,
            threshold,
        } = self;
        let words = harm.words();
        write!(
            formatter,
            "{events} of {calls} {words}, more than {threshold}"
        )
    }
}

/// Watch over the calls of a rollout.
#[derive(Debug, Clone)]
pub struct RolloutWatch {
    thresholds: Thresholds,
    /// Tests, as [`RolloutHarm::ALL`] has the harms; where a threshold is off, the test is never asked.
    tests: [RateTest; RolloutHarm::ALL.len()],
    breach: Option<Breach>,
}

impl Thresholds {
    /// Begins to watch.
    pub fn watch(self) -> RolloutWatch {
        let test = |harm: RolloutHarm| RateTest::new(harm.of(&self).unwrap_or(Ppm::ALL));
        RolloutWatch {
            tests: RolloutHarm::ALL.map(test),
            thresholds: self,
            breach: None,
        }
    }
}

impl RolloutWatch {
    /// Counts a call. Returns the first breach, once.
    pub fn observe(&mut self, observation: Observation) -> Option<&Breach> {
        let mut found = None;
        for (harm, test) in RolloutHarm::ALL.into_iter().zip(&mut self.tests) {
            let event = observation.has(harm, &self.thresholds);
            let too_high = test.count(event);
            if let Some(threshold) = harm.of(&self.thresholds)
                && too_high
            {
                found = found.or(Some(Breach {
                    harm,
                    events: test.events(),
                    calls: test.calls(),
                    threshold,
                }));
            }
        }
        if self.breach.is_some() {
            return None;
        }
        self.breach = found;
        self.breach.as_ref()
    }

    /// Returns true if no rate is in doubt: a rollout may go on.
    pub fn is_clear(&self) -> bool {
        self.breach.is_none() && !self.tests.iter().any(RateTest::is_in_doubt)
    }

    /// Returns the numbers so far.
    pub fn counts(&self) -> ObservationCounts {
        let [changed, faults, slow, flooding] = &self.tests;
        ObservationCounts {
            compared: changed.calls(),
            changed: changed.events(),
            faults: faults.events(),
            slow: slow.events(),
            flooding: flooding.events(),
        }
    }
}
