//! Observer of one rollout: counts and samples of differences, and the thresholds.
//!
//! At a breach the candidate is taken out of its slot in the very call that shows it: no later call
//! is decided by it, also of transactions that began with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use gatepost_message::TransactionId;
use gatepost_policy::{ComparedCall, Slot, TrialObserver};
use gatepost_rollout::{Breach, DifferenceKind, Observation, ObservationCounts, RolloutWatch};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::stored::{RolloutMode, StoredRollout};

/// Samples of each kind.
const SAMPLES: usize = 20;

/// Longest side of a sample, in octets.
const LONGEST_SIDE: usize = 300;

/// Call in which the versions differ; without any of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DifferenceSample {
    /// Kind of the difference.
    pub kind: DifferenceKind,
    /// Hook.
    pub hook: String,
    /// Transaction, whose trace has more.
    pub transaction: Option<TransactionId>,
    /// Answer of the active version, in words.
    pub active: String,
    /// Answer of the candidate, in words.
    pub candidate: String,
}

/// Differences of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ObservedDifferences {
    /// Number of calls with a difference of each kind.
    pub counts: BTreeMap<DifferenceKind, u64>,
    /// The last calls of each kind, oldest first.
    pub samples: Vec<DifferenceSample>,
}

pub(crate) struct RolloutObserver {
    policy: String,
    digest: String,
    slot: Weak<Slot>,
    is_canary: bool,
    observed: Mutex<Observed>,
    breached: Arc<Notify>,
}

struct Observed {
    watch: RolloutWatch,
    compared_in_step: u64,
    skipped: u64,
    differences: ObservedDifferences,
    breach: Option<Breach>,
}

impl RolloutObserver {
    pub(super) fn new(
        slot: &Arc<Slot>,
        stored: &StoredRollout,
        breached: Arc<Notify>,
    ) -> Arc<Self> {
        let policy = slot.name().to_owned();
        Arc::new(Self {
            policy,
            digest: stored.digest.clone(),
            slot: Arc::downgrade(slot),
            is_canary: matches!(stored.mode, RolloutMode::Canary { .. }),
            observed: Mutex::new(Observed {
                watch: stored.thresholds.clone().watch(),
                compared_in_step: 0,
                skipped: 0,
                differences: ObservedDifferences::default(),
                breach: None,
            }),
            breached,
        })
    }

    pub(super) fn counts(&self) -> ObservationCounts {
        self.observed.lock().watch.counts()
    }

    pub(super) fn compared_in_step(&self) -> u64 {
        self.observed.lock().compared_in_step
    }

    pub(super) fn skipped_calls(&self) -> u64 {
        self.observed.lock().skipped
    }

    pub(super) fn differences(&self) -> ObservedDifferences {
        self.observed.lock().differences.clone()
    }

    pub(super) fn breach(&self) -> Option<Breach> {
        self.observed.lock().breach.clone()
    }

    /// Returns true if no rate is in doubt.
    pub(super) fn is_clear(&self) -> bool {
        self.observed.lock().watch.is_clear()
    }

    pub(super) fn begin_step(&self) {
        self.observed.lock().compared_in_step = 0;
    }
}

impl TrialObserver for RolloutObserver {
    fn compared(&self, call: &ComparedCall<'_>) {
        count("gatepost_rollout_calls_total", &self.policy, 1);
        let faults = [call.active, call.candidate]
            .map(|judgement| judgement.is_some_and(|judgement| judgement.error.is_some()));
        let observation = Observation {
            changed: faults == [false, false] && call.is_changed(),
            faulted: faults == [false, true],
            micros: call.candidate.map_or(0, |judgement| judgement.micros),
            logged: call.logged,
        };
        let mut observed = self.observed.lock();
        observed.compared_in_step += 1;
        if !call.differences.is_empty() {
            let [active, candidate] = call.in_words().map(bounded);
            for kind in &call.differences {
                count_difference(&self.policy, *kind, 1);
                observed.differences.add(DifferenceSample {
                    kind: *kind,
                    hook: call.hook.word().to_owned(),
                    transaction: call.transaction,
                    active: active.clone(),
                    candidate: candidate.clone(),
                });
            }
        }
        let breach = observed.watch.observe(observation).cloned();
        if let Some(breach) = breach
            && self.is_canary
        {
            observed.breach = Some(breach);
            drop(observed);
            if let Some(slot) = self.slot.upgrade() {
                let trial = slot.trial();
                if trial.is_some_and(|trial| trial.version().digest() == self.digest) {
                    slot.end_trial();
                }
            }
            self.breached.notify_one();
        }
    }

    fn skipped(&self) {
        count("gatepost_rollout_skipped_total", &self.policy, 1);
        self.observed.lock().skipped += 1;
    }
}

impl ObservedDifferences {
    fn add(&mut self, sample: DifferenceSample) {
        let kind = sample.kind;
        *self.counts.entry(kind).or_default() += 1;
        let of_kind = self.samples.iter().filter(|of| of.kind == kind).count();
        if of_kind >= SAMPLES
            && let Some(oldest) = self.samples.iter().position(|of| of.kind == kind)
        {
            self.samples.remove(oldest);
        }
        self.samples.push(sample);
    }
}

/// Shows the metrics of a policy that has had no rollout yet.
pub(crate) fn show_zero(policy: &str) {
    for kind in DifferenceKind::ALL {
        count_difference(policy, kind, 0);
    }
    count("gatepost_rollout_calls_total", policy, 0);
    count("gatepost_rollout_skipped_total", policy, 0);
}

fn count(name: &'static str, policy: &str, by: u64) {
    metrics::counter!(name, "policy" => policy.to_owned()).increment(by);
}

fn count_difference(policy: &str, kind: DifferenceKind, by: u64) {
    let name = "gatepost_rollout_differences_total";
    metrics::counter!(name, "policy" => policy.to_owned(), "kind" => kind.word()).increment(by);
}

fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST_SIDE));
    text
}
