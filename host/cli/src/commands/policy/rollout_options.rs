//! Options of `gatepost policy activate` that try a version beside the active one.

use std::time::Duration;

use clap::Args;
use gatepost_message::parse_duration;
use gatepost_policy_set::rollouts::RolloutMode;
use gatepost_rollout::{NotAShare, Ppm, StepPlan, Thresholds};

/// Options of a rollout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Try it first")]
pub(super) struct RolloutOptions {
    /// Run it beside the active version on live mail, without effect.
    #[arg(long, group = "trial", conflicts_with = "share")]
    shadow: bool,
    /// Share of one core that a shadow may use; calls beyond it are skipped.
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "10%",
        requires = "shadow",
        conflicts_with = "share"
    )]
    budget: Ppm,
    /// Have it decide for this share of the mail, by account and correspondent.
    #[arg(long, value_name = "SHARE", value_parser = canary_share, groups = ["trial", "share"])]
    canary: Option<Ppm>,
    /// Have it decide for these shares, one after another, such as 1,5,25,100 percent. At 100 it
    /// becomes the active version.
    #[arg(long, value_name = "SHARES", value_delimiter = ',', groups = ["trial", "share"])]
    steps: Vec<Ppm>,
    /// Shortest time of a step.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_duration, requires = "steps", conflicts_with_all = ["shadow", "canary"])]
    every: Duration,
    /// Calls in a step that both versions must have answered.
    #[arg(long, value_name = "NUMBER", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..), requires = "steps", conflicts_with_all = ["shadow", "canary"])]
    at_least: u64,
    /// Highest rate of changed verdicts, in the share; `any` for no limit. Beyond it, the candidate is
    /// rolled back.
    #[arg(long, value_name = "RATE", default_value = "1%", value_parser = bound, requires = "share", conflicts_with = "shadow")]
    max_changed: RateBound,
    /// Highest rate of faults where the active version has none.
    #[arg(long, value_name = "RATE", default_value = "0.1%", value_parser = bound, requires = "share", conflicts_with = "shadow")]
    max_faults: RateBound,
    /// Highest rate of slow calls: 1% is a bound on the p99.
    #[arg(long, value_name = "RATE", default_value = "1%", value_parser = bound, requires = "share", conflicts_with = "shadow")]
    max_slow: RateBound,
    /// Time of a call above which it is slow.
    #[arg(long, value_name = "TIME", default_value = "10ms", value_parser = parse_duration, requires = "trial")]
    slower_than: Duration,
    /// Highest rate of calls that write more than 2000 octets to the log.
    #[arg(long, value_name = "RATE", default_value = "1%", value_parser = bound, requires = "share", conflicts_with = "shadow")]
    max_flood: RateBound,
}

/// Bound on a rate, if there is one.
#[derive(Debug, Clone, Copy)]
struct RateBound(Option<Ppm>);

fn canary_share(text: &str) -> Result<Ppm, String> {
    let share: Ppm = text.parse().map_err(|error: NotAShare| error.to_string())?;
    match share > Ppm::default() && share < Ppm::ALL {
        true => Ok(share),
        false => Err(
            "a canary's share is above 0% and below 100%; to activate for all mail, leave out --canary"
                .to_owned(),
        ),
    }
}

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

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use clap::error::ErrorKind;

    use crate::commands::Cli;
    use crate::commands::output::usage;

    fn tried(options: &str) -> Result<(), clap::Error> {
        let line = format!("gatepost policy activate {options}");
        Cli::try_parse_from(line.split(' ')).map(|_| ())
    }

    #[test]
    fn options_that_would_do_nothing_are_refused() {
        for options in [
            "a.wasm",
            "a.wasm --shadow",
            "a.wasm --shadow --budget 5%",
            "a.wasm --shadow --slower-than 1ms",
            "a.wasm --canary 5% --max-changed any --slower-than 1ms",
            "a.wasm --steps 1,100 --every 0s --at-least 1 --max-flood 2%",
            "--configured a",
        ] {
            if let Err(error) = tried(options) {
                panic!("{options}: {error}");
            }
        }
        for trial in ["--shadow", "--canary 5%", "--steps 1,5", "--budget 5%"] {
            assert!(
                tried(&format!("--configured a {trial}")).is_err(),
                "{trial}"
            );
        }
        for option in ["--every 1m", "--at-least 5", "--budget 5%"] {
            for trial in ["", "--canary 5%"] {
                let options = format!("a.wasm {trial} {option}").replace("  ", " ");
                assert!(tried(&options).is_err(), "{options}");
            }
        }
        let thresholds = [
            "--max-changed 5%",
            "--max-faults 5%",
            "--max-slow 5%",
            "--max-flood 5%",
        ];
        for option in thresholds.into_iter().chain(["--every 1m", "--at-least 5"]) {
            for trial in ["a.wasm", "a.wasm --shadow", "--configured a"] {
                let error = tried(&format!("{trial} {option}")).unwrap_err();
                let kinds = [
                    ErrorKind::MissingRequiredArgument,
                    ErrorKind::ArgumentConflict,
                ];
                assert!(kinds.contains(&error.kind()), "{trial} {option}: {error}");
            }
        }
        for option in [
            "a.wasm --slower-than 1ms",
            "--configured a --slower-than 1ms",
        ] {
            assert!(tried(option).is_err(), "{option}");
        }
        for two in [
            "--shadow --canary 5%",
            "--shadow --steps 5",
            "--canary 5% --steps 5",
        ] {
            assert!(tried(&format!("a.wasm {two}")).is_err(), "{two}");
        }
        let zero = "a.wasm --steps 1,100 --every 0s --at-least 0";
        assert!(tried(zero).is_err(), "a step after no call");
    }

    #[test]
    fn a_canary_has_some_of_the_mail() {
        for share in ["0%", "100%", "0", "100"] {
            let error = usage(&tried(&format!("a.wasm --canary {share}")).unwrap_err());
            assert!(error.contains("above 0% and below 100%"), "{error}");
            assert!(error.contains("leave out --canary"), "{error}");
        }
    }
}
