//! Rollouts of policies, without a clock, a file or an engine.
//!
//! A new version of a policy decides for a share of the mail ([`Share::has`]), and the active version
//! is asked about the same mail as the control. Each such pair of answers is an [`Observation`]. The
//! [`Watch`](Thresholds::watch) over them says when a rate is above its threshold, by a test that
//! may be looked at after each call ([`RateTest`]). A [`StepPlan`] says when the share grows.

#![forbid(unsafe_code)]

mod difference;
mod plan;
mod ppm;
mod rate_test;
mod share;
mod thresholds;

pub use difference::DifferenceKind;
pub use plan::{NextStep, StepPlan};
pub use ppm::{NotAShare, Ppm};
pub use rate_test::{ALPHA, LEAST_CALLS, LEAST_EVENTS, RateTest};
pub use share::Share;
pub use thresholds::{
    Breach, Observation, ObservationCounts, RolloutHarm, RolloutWatch, Thresholds,
};
