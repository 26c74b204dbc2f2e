//! Rollouts as they are stored: one that runs, and those that have ended.

use gatepost_message::Millis;
use gatepost_rollout::{ObservationCounts, Ppm, StepPlan, Thresholds};
use serde::{Deserialize, Serialize};

use crate::activation::short;
use crate::history::ActivatedBy;

/// Longest reason of an end, in octets.
const LONGEST_REASON: usize = 300;

/// Way in which a version is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RolloutMode {
    /// Beside the active version, without effect.
    Shadow {
        /// Share of one core that it may use.
        budget: Ppm,
    },
    /// In the place of the active version, for a share of the mail.
    Canary {
        /// Shares, and when the next follows.
        plan: StepPlan,
    },
}

/// Rollout that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StoredRollout {
    /// SHA-256 of the candidate's module.
    pub module: String,
    /// Digest of module and settings.
    pub digest: String,
    /// Person or program that began it, and from where.
    pub by: ActivatedBy,
    /// Way.
    pub mode: RolloutMode,
    /// Thresholds of a canary.
    pub thresholds: Thresholds,
    /// Time at which it began.
    pub begun: Millis,
    /// Number of the present step, from 0.
    pub step: usize,
    /// Time at which the step began.
    pub step_begun: Millis,
    /// True if an operator holds it where it is.
    pub held: bool,
    /// Salt of the choice of mail.
    #[schemars(with = "u64")]
    pub salt: u64,
}

/// Rollout that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct EndedRollout {
    /// Digest of module and settings.
    pub digest: String,
    /// SHA-256 of the candidate's module.
    pub module: String,
    /// Person or program that began it, and from where.
    pub by: ActivatedBy,
    /// Share of the mail for which it decided last; none in a shadow.
    pub share: Option<Ppm>,
    /// Time at which it began.
    pub begun: Millis,
    /// Time at which it ended.
    pub ended: Millis,
    /// End.
    pub end: RolloutEnd,
    /// Reason, with the figures of a breach.
    pub reason: String,
    /// Calls since the last start of the relay, and the harm among them.
    pub counts: ObservationCounts,
}

/// End of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutEnd {
    /// The candidate is active.
    Promoted,
    /// The candidate was dropped, by a threshold or by hand.
    RolledBack,
    /// Another version was activated or tried.
    Replaced,
}

impl RolloutEnd {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled back",
            Self::Replaced => "replaced",
        }
    }
}

impl StoredRollout {
    /// Returns the share of the mail for which the candidate decides; none in a shadow.
    pub fn share(&self) -> Option<Ppm> {
        match &self.mode {
            RolloutMode::Shadow { .. } => None,
            RolloutMode::Canary { plan } => Some(plan.share(self.step)),
        }
    }

    /// Tells what the candidate does.
    pub fn in_words(&self) -> String {
        match self.share() {
            None => "is a shadow".to_owned(),
            Some(share) => format!("decides for {share} of the mail"),
        }
    }

    pub(crate) fn ended(
        self,
        end: RolloutEnd,
        reason: &str,
        counts: ObservationCounts,
        now: Millis,
    ) -> EndedRollout {
        let reason = one_line(reason);
        let cut = reason.floor_char_boundary(LONGEST_REASON);
        EndedRollout {
            share: self.share(),
            digest: self.digest,
            module: self.module,
            by: self.by,
            begun: self.begun,
            ended: now,
            end,
            reason: reason.get(..cut).unwrap_or_default().to_owned(),
            counts,
        }
    }
}

impl EndedRollout {
    /// Tells of the end in one sentence.
    pub fn in_words(&self, policy: &str) -> String {
        let share = match self.share {
            None => "a shadow".to_owned(),
            Some(share) => format!("it decided for {share} of the mail"),
        };
        format!(
            "policy {policy}: version {} ({share}) {}",
            short(&self.digest),
            self.end_in_words()
        )
    }

    /// Tells of the candidate, its end and the time.
    pub fn in_short(&self) -> String {
        let (digest, end) = (short(&self.digest), self.end_in_words());
        match end.split_once(": ") {
            Some((end, reason)) => format!("candidate {digest} {end} at {}: {reason}", self.ended),
            None => format!("candidate {digest} {end} at {}", self.ended),
        }
    }

    /// Tells of the end without naming the version, such as "was rolled back by root (socket)".
    pub fn end_in_words(&self) -> String {
        let (word, reason) = (self.end.word(), one_line(&self.reason));
        // Many reasons begin with the word themselves.
        match reason.strip_prefix(word) {
            Some(how) => format!("was {word}{how}"),
            None => format!("was {word}: {reason}"),
        }
    }
}

/// Returns a text on one line: errors of a module have several.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}
