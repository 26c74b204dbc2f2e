//! Test of a rate that may be looked at after each call.
//!
//! The hypothesis is that an event happens in at most a share `p` of the calls. A test of the text
//! book counts once, after so many calls; looked at again and again, it finds something sooner or
//! later, however good the version. This one is the mean of likelihood ratios over a grid of higher
//! rates `q`: after `n` calls with `k` events
//!
//! ```text
//! E = mean over q of (q / p)^k ((1 - q) / (1 - p))^(n - k)
//! ```
//!
//! While the hypothesis is true, E is a supermartingale that begins at 1 and is never negative, so it
//! ever reaches 1 / α with a probability of at most α (Ville's inequality), whenever and however often
//! somebody looks.
//!
//! Two of them run: one over all calls, which finds a rate that is a little too high, and one that
//! begins anew every [`EPOCH`] calls, which finds a version that was good for a day and then goes
//! wrong. The first has half of α. The others share the rest: the i-th has a part of 1 / (i (i + 1)),
//! and all of these parts make 1.

use crate::Ppm;

/// Probability with which a version is ever found too bad that is just good enough.
pub const ALPHA: f64 = 0.001;

/// Calls before which nothing is found.
pub const LEAST_CALLS: u64 = 30;

/// Events before which nothing is found.
pub const LEAST_EVENTS: u64 = 5;

/// Calls after which the second test begins anew.
const EPOCH: u64 = 500;

/// Number of alternatives.
const ALTERNATIVES: i32 = 16;

/// Evidence at which a rate is in doubt: the test has not found it too high, but a rollout does not go
/// on.
const DOUBT: f64 = 10.0;

/// Calls, and events among them.
#[derive(Debug, Clone, Copy, Default)]
struct CallCounts {
    calls: u64,
    events: u64,
}

/// Test whether a rate is above a threshold.
#[derive(Debug, Clone)]
pub struct RateTest {
    /// For each alternative, the logarithm of the factor of an event and of a call without one;
    /// empty where no rate, or each, is too high.
    factors: Vec<(f64, f64)>,
    threshold: Ppm,
    all: CallCounts,
    recent: CallCounts,
    /// Number of the present epoch, from 1.
    epoch: u32,
}

impl RateTest {
    /// Makes a test of the hypothesis that the rate is at most the threshold. At a threshold of 0,
    /// each event speaks against it; at 100 %, none does.
    pub fn new(threshold: Ppm) -> Self {
        let p = threshold.fraction();
        let factors = match threshold.get() {
            0 | 1_000_000 => Vec::new(),
            _ => (1..=ALTERNATIVES).map(|step| factors(p, step)).collect(),
        };
        Self {
            factors,
            threshold,
            all: CallCounts::default(),
            recent: CallCounts::default(),
            epoch: 1,
        }
    }

    /// CallCounts a call. Returns true if the rate is found too high.
    pub fn count(&mut self, event: bool) -> bool {
        if self.recent.calls >= EPOCH {
            self.recent = CallCounts::default();
            self.epoch = self.epoch.saturating_add(1);
        }
        for counts in [&mut self.all, &mut self.recent] {
            counts.calls += 1;
            counts.events += u64::from(event);
        }
        // Only an event makes the evidence more than it was.
        let is_worth_a_look = event || self.all.calls == LEAST_CALLS;
        is_worth_a_look && self.is_too_high()
    }

    /// Returns the number of calls.
    pub fn calls(&self) -> u64 {
        self.all.calls
    }

    /// Returns the number of events.
    pub fn events(&self) -> u64 {
        self.all.events
    }

    /// Returns true if the rate may be too high, though it is not found so yet.
    pub fn is_in_doubt(&self) -> bool {
        self.evidence(self.all) >= DOUBT.ln() || self.evidence(self.recent) >= DOUBT.ln()
    }

    fn is_too_high(&self) -> bool {
        let epoch = f64::from(self.epoch);
        let (half, part) = (ALPHA / 2.0, epoch * (epoch + 1.0));
        let found = |counts: CallCounts, alpha: f64| {
            counts.events >= LEAST_EVENTS && self.evidence(counts) >= -alpha.ln()
        };
        self.all.calls >= LEAST_CALLS && (found(self.all, half) || found(self.recent, half / part))
    }

    /// Returns the logarithm of E.
    fn evidence(&self, counts: CallCounts) -> f64 {
        if self.factors.is_empty() {
            let against = self.threshold == Ppm::default() && counts.events > 0;
            return if against { f64::INFINITY } else { 0.0 };
        }
        #[allow(clippy::cast_precision_loss)] // 2^53 calls take longer than anybody waits
        let (events, others) = (counts.events as f64, (counts.calls - counts.events) as f64);
        let ratios = (self.factors.iter()).map(|(event, other)| event * events + other * others);
        let ratios: Vec<f64> = ratios.collect();
        let highest = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = ratios.iter().map(|ratio| (ratio - highest).exp()).sum();
        highest + (sum / f64::from(ALTERNATIVES)).ln()
    }
}

/// Returns the logarithms of the factors for one alternative. The odds of the alternatives grow evenly
/// by their logarithm, from half as much again as the threshold's to 99 %.
fn factors(p: f64, step: i32) -> (f64, f64) {
    let lowest = (p / (1.0 - p) * 1.5).ln();
    let highest = 99.0_f64.ln().max(lowest + 1.0);
    let at = f64::from(step - 1) / f64::from(ALTERNATIVES - 1);
    let odds = (lowest + (highest - lowest) * at).exp();
    let q = odds / (1.0 + odds);
    ((q / p).ln(), ((1.0 - q) / (1.0 - p)).ln())
}
