//! Options of `gatepost policy activate` that try a version beside the active one.

use std::time::Duration;

use clap::Args;
use gatepost_message::parse_duration;
use gatepost_policy_set::rollouts::RolloutMode;
use gatepost_rollout::{Ppm, StepPlan, Thresholds};

/// Options of a rollout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Try it first")]
pub(super) struct RolloutOptions {
    /// Run it beside the active version on live mail, without effect.
    #[arg(long, conflicts_with_all = ["canary", "steps"])]
    shadow: bool,
    /// Share of one core that a shadow may use; calls beyond it are skipped.
    #[arg(long, value_name = "SHARE", default_value = "10%", requires = "shadow")]
    budget: Ppm,
    /// Have it decide for this share of the mail, by account and correspondent.
    #[arg(long, value_name = "SHARE", conflicts_with = "steps")]
    canary: Option<Ppm>,
    /// Have it decide for these shares, one after another, such as 1,5,25,100 percent. At 100 it
    /// becomes the active version.
    #[arg(long, value_name = "SHARES", value_delimiter = ',')]
    steps: Vec<Ppm>,
    /// Shortest time of a step.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_duration, requires = "steps")]
    every: Duration,
    /// Calls in a step that both versions must have answered.
    #[arg(long, value_name = "NUMBER", default_value_t = 30, requires = "steps")]
    at_least: u64,
    /// Highest rate of changed verdicts, in the share; `any` for no limit. Beyond it, the candidate is
    /// rolled back.
    #[arg(long, value_name = "RATE", default_value = "1%", value_parser = bound)]
    max_changed: RateBound,
    /// Highest rate of faults where the active version has none.
    #[arg(long, value_name = "RATE", default_value = "0.1%", value_parser = bound)]
    max_faults: RateBound,
    /// Highest rate of slow calls: 1% is a bound on the p99.
    #[arg(long, value_name = "RATE", default_value = "1%", value_parser = bound)]
    max_slow: RateBound,
    /// Time of a call above which it is slow.
    #[arg(long, value_name = "TIME", default_value = "10ms", value_parser = parse_duration)]
    slower_than: Duration,
    /// Highest rate of calls that write more than 2000 octets to the log.
    #[arg(long, value_name = "RATE", default_value = "1%", value_parser = bound)]
    max_flood: RateBound,
}

/// Bound on a rate, if there is one.
#[derive(Debug, Clone, Copy)]
struct RateBound(Option<Ppm>);

fn bound(text: &str) -> Result<RateBound, String> {
    match text {
        "any" => Ok(RateBound(None)),
        rate => match rate.parse() {
            Ok(rate) => Ok(RateBound(Some(rate))),
            Err(error) => Err(format!("{error}, or `any`")),
        },
    }
}

impl RolloutOptions {
    /// Returns the way in which the version is to be tried; `None` if it is to be activated.
    pub(super) fn mode(&self) -> Option<RolloutMode> {
        if self.shadow {
            return Some(RolloutMode::Shadow {
                budget: self.budget,
            });
        }
        let steps = match self.canary {
            Some(share) => vec![share],
            None if self.steps.is_empty() => return None,
            None => self.steps.clone(),
        };
        Some(RolloutMode::Canary {
            plan: StepPlan {
                steps,
                every: u64::try_from(self.every.as_millis()).unwrap_or(u64::MAX),
                at_least: self.at_least,
            },
        })
    }

    /// Returns the thresholds.
    pub(super) fn thresholds(&self) -> Thresholds {
        Thresholds {
            max_changed: self.max_changed.0,
            max_faults: self.max_faults.0,
            max_slow: self.max_slow.0,
            slower_than: u64::try_from(self.slower_than.as_micros()).unwrap_or(u64::MAX),
            max_flood: self.max_flood.0,
            ..Thresholds::default()
        }
    }
}
