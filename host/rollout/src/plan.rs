//! Plan of a rollout: its shares, one after another, and when the next comes.

use serde::{Deserialize, Serialize};

use crate::Ppm;

/// Plan of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StepPlan {
    /// Shares, each above the one before. At 100 % the candidate becomes the active version. Where
    /// there is one share, the rollout stays there.
    pub steps: Vec<Ppm>,
    /// Shortest time of a step, in milliseconds.
    pub every: u64,
    /// Calls that both versions must have answered in a step.
    pub at_least: u64,
}

/// Next step of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The share stays.
    Stay,
    /// The next step, by its number from 0, with its share.
    Raise(usize, Ppm),
    /// The candidate becomes the active version.
    Promote,
}

impl StepPlan {
    /// Most steps.
    pub const MOST_STEPS: usize = 20;

    /// Returns true if it has steps, each above the one before and none of nothing.
    pub fn is_sound(&self) -> bool {
        let steps = &self.steps;
        let grow = steps.iter().zip(steps.iter().skip(1)).all(|(a, b)| a < b);
        let first = steps.first().is_some_and(|first| *first > Ppm::default());
        first && grow && steps.len() <= Self::MOST_STEPS
    }

    /// Returns the share of a step.
    pub fn share(&self, step: usize) -> Ppm {
        self.steps.get(step).copied().unwrap_or_default()
    }

    /// Returns the next step, after a step of `time` milliseconds in which `compared` calls were
    /// answered by both versions. `is_clear` tells whether no rate is in doubt.
    pub fn next(&self, step: usize, time: u64, compared: u64, is_clear: bool) -> NextStep {
        let Some(next) = self.steps.get(step + 1) else {
            return NextStep::Stay;
        };
        if time < self.every || compared < self.at_least || !is_clear {
            return NextStep::Stay;
        }
        match *next {
            Ppm::ALL => NextStep::Promote,
            share => NextStep::Raise(step + 1, share),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(steps: &[u32]) -> StepPlan {
        StepPlan {
            steps: steps.iter().map(|step| Ppm::percent(*step)).collect(),
            every: 1_000,
            at_least: 30,
        }
    }

    #[test]
    fn a_step_follows_when_time_and_calls_suffice_and_nothing_is_in_doubt() {
        let plan = plan(&[1, 5, 100]);
        let next = NextStep::Raise(1, Ppm::percent(5));
        assert_eq!(plan.next(0, 1_000, 30, true), next);
        assert_eq!(plan.next(0, 999, 30, true), NextStep::Stay);
        assert_eq!(plan.next(0, 1_000, 29, true), NextStep::Stay);
        assert_eq!(plan.next(0, 1_000, 30, false), NextStep::Stay);
        assert_eq!(plan.next(1, 1_000, 30, true), NextStep::Promote);
        assert_eq!(plan.next(2, 1_000, 30, true), NextStep::Stay);
    }

    #[test]
    fn steps_grow() {
        assert!(plan(&[5]).is_sound());
        assert!(plan(&[1, 5, 25, 100]).is_sound());
        for steps in [&[][..], &[0], &[5, 5], &[5, 1]] {
            assert!(!plan(steps).is_sound(), "{steps:?}");
        }
    }
}
