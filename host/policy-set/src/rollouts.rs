//! Rollouts: a version under trial beside the active one, in its shadow or as a canary.
//!
//! What a rollout is stands in the [history](crate::history) before it takes effect, so that a restart
//! resumes it, with fresh figures; a share is raised on the disk first. A rollback by a threshold is
//! the other way round: the candidate stops deciding with the very call that shows the breach
//! (module `observer`), and is then taken off the disk. There is one rollout a policy; any activation ends
//! it.

mod drive;
mod observer;
mod stored;

use std::sync::Arc;

use bytes::Bytes;
use gatepost_config::Change;
use gatepost_message::Millis;
use gatepost_policy::{Hook, Slot, Version, VersionTrial};
use gatepost_rollout::{ObservationCounts, Ppm, Share, StepPlan, Thresholds};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use self::observer::RolloutObserver;
use crate::activation::{Activation, module_in_words, short};
use crate::history::{ActivatedBy, VersionRecord, on_disk};
use crate::wanted::{OTHER_MODULE, Wanted};
use crate::{Policies, PolicyError, PolicyFault, Swap, SwapOutcome, fault};

pub use observer::{DifferenceSample, ObservedDifferences};
pub use stored::{EndedRollout, RolloutEnd, RolloutMode, StoredRollout};

/// Hooks in which a canary decides: the account is known in these.
const CANARY_HOOKS: [Hook; 4] = [Hook::Recipient, Hook::Message, Hook::Route, Hook::Outcome];

/// Order to roll a module out.
#[derive(Debug, Clone)]
pub struct RolloutOrder {
    /// Name of the policy.
    pub policy: String,
    /// Module.
    pub module: Bytes,
    /// Way.
    pub mode: RolloutMode,
    /// Thresholds of a canary.
    pub thresholds: Thresholds,
    /// Person or program that asks for it.
    pub by: ActivatedBy,
}

/// Reason why a rollout cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RolloutFault {
    /// The version is active already.
    #[error("this version is active already, so there is nothing to try")]
    Active,
    /// A canary has nothing to decide.
    #[error(
        "the module has the hooks {0} only, and a canary decides in none of them: the account is not \
         known yet; try it as a shadow"
    )]
    NoShare(String),
    /// The steps are not a plan.
    #[error(
        "the steps are to grow, from above 0% to 100% at most, and the first is to be below 100%; \
         a version that is to decide for all mail at once is activated without steps"
    )]
    Steps,
    /// Steps would be made after no call.
    #[error("a step is to last for one call at least: `at-least` is 1 or more")]
    NoCalls,
    /// There is no rollout.
    #[error(
        "no version of it is under trial{}; begin with `gatepost policy activate FILE --shadow`, \
         `--canary SHARE` or `--steps SHARES`", ended.as_deref().map(|ended| format!(": {ended}")).unwrap_or_default()
    )]
    None {
        /// End of the last one, in words, if its candidate was dropped.
        ended: Option<String>,
    },
    /// The last rollout has ended without its candidate, so a rollback has nothing to drop.
    #[error(
        "nothing is under trial: {ended}; version {active} is active since {since}; {}",
        before_in_words(policy, before.as_deref())
    )]
    Over {
        /// Name of the policy.
        policy: String,
        /// End of the rollout, in words.
        ended: String,
        /// Short digest of the active version.
        active: String,
        /// Time from which it has been active.
        since: Millis,
        /// Short digest of the version before it, if there is one.
        before: Option<String>,
    },
    /// A canary with one share makes no steps.
    #[error(
        "its candidate has one share and makes no steps by itself; `gatepost policy promote {policy}` \
         makes it the active version, `gatepost policy rollback {policy}` drops it"
    )]
    OneShare {
        /// Name of the policy.
        policy: String,
    },
    /// A shadow has no steps.
    #[error(
        "its candidate is a shadow, which has no steps; `gatepost policy promote {policy}` makes it \
         the active version, `gatepost policy rollback {policy}` drops it"
    )]
    Shadow {
        /// Name of the policy.
        policy: String,
    },
}

fn before_in_words(policy: &str, before: Option<&str>) -> String {
    match before {
        Some(before) => format!(
            "`gatepost policy rollback {policy} --to {before}` goes back to the version before it"
        ),
        None => "there is no version before it".to_owned(),
    }
}

/// Rollout of one policy.
pub(crate) struct Rollout {
    slot: Arc<Slot>,
    trial: Arc<VersionTrial>,
    observer: Arc<RolloutObserver>,
    stored: Mutex<StoredRollout>,
    counted_from: FiguresBegin,
}

/// Beginning of the figures of a rollout, which do not outlive the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FiguresBegin {
    /// With the rollout.
    Rollout,
    /// At the start of the relay, which resumed the rollout.
    Start(Millis),
    /// At a reload, which resumed the rollout with other settings.
    Reload(Millis),
}

/// State of a rollout, with its figures since the start of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RolloutState {
    /// Name of the policy.
    pub policy: String,
    /// Rollout as it is stored.
    pub rollout: StoredRollout,
    /// Share of the mail for which the candidate decides; none in a shadow.
    pub share: Option<Ppm>,
    /// Beginning of the figures.
    pub counted_from: FiguresBegin,
    /// Calls that both versions answered, and the harm among them.
    pub counts: ObservationCounts,
    /// True if a rate of a canary is near its threshold: no step is made meanwhile.
    pub in_doubt: bool,
    /// Digest of the candidate whose rollout this one has ended; in the answer that begins it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
    /// Calls of this step that both versions answered.
    pub compared_in_step: u64,
    /// Calls that the shadow was not asked, for want of time.
    pub skipped: u64,
    /// Differences.
    pub differences: ObservedDifferences,
}

impl Policies {
    /// Begins a rollout, in the place of the present one.
    ///
    /// # Errors
    /// There is no such policy, the module cannot be loaded or kept, or a canary of it has nothing to
    /// decide.
    pub async fn roll_out(&self, order: RolloutOrder) -> Result<RolloutState, PolicyError> {
        let RolloutOrder {
            policy,
            module,
            mode,
            thresholds,
            by,
        } = order;
        let _swapping = self.swapping.lock().await;
        let slot = self.slot(&policy)?;
        let refused = |reason: RolloutFault| fault(&policy, PolicyFault::Rollout(reason));
        if let RolloutMode::Canary { plan } = &mode {
            check(plan).map_err(refused)?;
        }
        let named = || module_in_words(&module);
        let version = self.loaded_as(&slot, &module, named).await?;
        if version.digest() == slot.current().digest() {
            return Err(refused(RolloutFault::Active));
        }
        let hooks = version.hooks();
        if matches!(mode, RolloutMode::Canary { .. })
            && !hooks.iter().any(|hook| CANARY_HOOKS.contains(hook))
        {
            let words: Vec<_> = hooks.iter().map(|hook| hook.word()).collect();
            return Err(refused(RolloutFault::NoShare(words.join(", "))));
        }
        let now = Millis::now();
        let stored = StoredRollout {
            module: version.inspection().digest.clone(),
            digest: version.digest().to_owned(),
            by,
            mode,
            thresholds,
            begun: now,
            step: 0,
            step_begun: now,
            held: false,
            salt: rand::random(),
        };
        let (name, next) = (policy.clone(), stored.clone());
        let counts = self.counts_of(&policy);
        let noted = on_disk(&self.history, move |history| {
            history.keep(&module)?;
            history.update(|policies| {
                let record = policies.entry(name).or_default();
                let reason = "a new rollout of the policy began";
                record.end_rollout(RolloutEnd::Replaced, reason, counts, now);
                record.rollout = Some(next);
            })
        });
        noted.await.map_err(|error| unwritten(&policy, error))?;
        let replaced = self.drop_trial(&policy);
        let active = slot.current();
        let text = format!(
            "policy {policy}: version {} {} beside {}, {}",
            short(&stored.digest),
            stored.in_words(),
            short(active.digest()),
            stored.by
        );
        tracing::info!(
            policy,
            digest = stored.digest,
            active = active.digest(),
            by = stored.by.actor,
            source = stored.by.source,
            "rollout begun"
        );
        let state = self.start_rollout(&slot, version, stored, FiguresBegin::Rollout);
        self.tell(text).await;
        Ok(RolloutState { replaced, ..state })
    }

    /// Returns the state of a policy's rollout, if there is one.
    pub fn rollout(&self, policy: &str) -> Option<RolloutState> {
        self.rollouts.lock().get(policy).map(|of| of.state())
    }

    /// Holds a rollout where it is: no step follows by itself. Thresholds are watched on. Or lets it
    /// go on.
    ///
    /// # Errors
    /// There is no such policy or no rollout, or it cannot be stored.
    pub async fn hold_rollout(
        &self,
        policy: &str,
        held: bool,
    ) -> Result<RolloutState, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let rollout = self.running(policy)?;
        let refused = match &rollout.stored.lock().mode {
            RolloutMode::Canary { plan } if plan.steps.len() > 1 => None,
            RolloutMode::Canary { .. } => Some(RolloutFault::OneShare {
                policy: policy.to_owned(),
            }),
            RolloutMode::Shadow { .. } => Some(RolloutFault::Shadow {
                policy: policy.to_owned(),
            }),
        };
        if let Some(refused) = refused {
            return Err(fault(policy, PolicyFault::Rollout(refused)));
        }
        self.store_rollout(policy, &rollout, |stored| stored.held = held)
            .await?;
        tracing::info!(policy, held, "rollout held or let go on");
        Ok(rollout.state())
    }

    /// Activates the version under trial.
    ///
    /// # Errors
    /// There is no such policy or no rollout, or the activation cannot be stored.
    pub async fn promote(&self, policy: &str, by: ActivatedBy) -> Result<Swap, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let rollout = self.running(policy)?;
        if let Some(breach) = rollout.observer.breach() {
            // It is rolled back, and the next turn notes that.
            let digest = short(rollout.trial.version().digest()).to_owned();
            let ended = Some(format!("candidate {digest} was rolled back: {breach}"));
            return Err(fault(
                policy,
                PolicyFault::Rollout(RolloutFault::None { ended }),
            ));
        }
        self.put_candidate(policy, &rollout, by, "promoted by hand")
            .await
    }

    /// Ends the rollout of a policy, and leaves the active version; `None` if there is none.
    pub(crate) async fn drop_candidate(
        &self,
        slot: &Slot,
        by: &ActivatedBy,
    ) -> Result<Option<Swap>, PolicyError> {
        let policy = slot.name();
        let Ok(rollout) = self.running(policy) else {
            return Ok(None);
        };
        // A rollback is made first, and noted then.
        slot.end_trial();
        let reason = match rollout.observer.breach() {
            // A threshold was quicker.
            Some(breach) => breach.to_string(),
            None => format!("rolled back by {} ({})", by.actor, by.origin),
        };
        self.note_end(policy, RolloutEnd::RolledBack, &reason)
            .await?;
        let old = rollout.trial.version().digest().to_owned();
        Ok(Some(self.unswapped(
            slot,
            SwapOutcome::CandidateDropped,
            old,
        )))
    }

    /// Returns the fault of a rollback that finds nothing to drop, though the last thing that happened
    /// to the policy is that a candidate was dropped. To activate the version before the active one
    /// would take a good version away from somebody who means the candidate.
    pub(crate) fn nothing_to_drop(&self, slot: &Slot) -> Option<RolloutFault> {
        let policy = slot.name();
        let record = self.history.record(policy);
        let ended = record.dropped_last()?.in_short();
        let active = slot.current();
        let before = record.before(&active.inspection().digest);
        Some(RolloutFault::Over {
            policy: policy.to_owned(),
            ended,
            active: short(active.digest()).to_owned(),
            since: self.active_since(slot),
            before: before.map(|of| short(&of.digest).to_owned()),
        })
    }

    async fn put_candidate(
        &self,
        policy: &str,
        rollout: &Rollout,
        by: ActivatedBy,
        reason: &str,
    ) -> Result<Swap, PolicyError> {
        let digest = rollout.stored.lock().module.clone();
        let module = on_disk(&self.history, move |history| history.module(&digest)).await;
        let activation = Activation {
            version: Arc::clone(rollout.trial.version()),
            module: module.map_err(|error| unwritten(policy, error))?,
            by,
            reason: Some(reason.to_owned()),
            is_configured: false,
            ends: RolloutEnd::Promoted,
        };
        self.put(&rollout.slot, activation).await
    }

    fn running(&self, policy: &str) -> Result<Arc<Rollout>, PolicyError> {
        self.slot(policy)?;
        let rollout = self.rollouts.lock().get(policy).cloned();
        rollout.ok_or_else(|| {
            let record = self.history.record(policy);
            let ended = record.dropped_last().map(EndedRollout::in_short);
            fault(policy, PolicyFault::Rollout(RolloutFault::None { ended }))
        })
    }

    /// Returns the figures of a policy's rollout; those of none are zero.
    pub(crate) fn counts_of(&self, policy: &str) -> ObservationCounts {
        let rollouts = self.rollouts.lock();
        let rollout = rollouts.get(policy);
        rollout.map(|of| of.observer.counts()).unwrap_or_default()
    }

    /// Starts what is stored.
    fn start_rollout(
        &self,
        slot: &Arc<Slot>,
        version: Arc<Version>,
        stored: StoredRollout,
        counted_from: FiguresBegin,
    ) -> RolloutState {
        let observer = RolloutObserver::new(slot, &stored, Arc::clone(&self.breached));
        let watching = Arc::clone(&observer);
        let trial = match &stored.mode {
            RolloutMode::Shadow { budget } => VersionTrial::shadow(version, *budget, watching),
            RolloutMode::Canary { plan } => {
                let share = Share {
                    of: plan.share(stored.step),
                    salt: stored.salt,
                };
                VersionTrial::canary(version, share, watching)
            }
        };
        slot.try_out(Arc::clone(&trial));
        let rollout = Arc::new(Rollout {
            slot: Arc::clone(slot),
            trial,
            observer,
            stored: Mutex::new(stored),
            counted_from,
        });
        let state = rollout.state();
        show_share(slot.name(), state.share);
        (self.rollouts.lock()).insert(slot.name().to_owned(), rollout);
        state
    }

    /// Stops the trial of a policy, whose end is on the disk. Returns the digest of the candidate, if
    /// there was one.
    pub(crate) fn drop_trial(&self, policy: &str) -> Option<String> {
        let rollout = self.rollouts.lock().remove(policy)?;
        rollout.trial.end();
        rollout.slot.end_trial();
        show_share(policy, None);
        Some(rollout.trial.version().digest().to_owned())
    }

    /// Returns the reason why a reload that has `new` succeed `old` is about to end the rollout of the
    /// policy; `None` if it goes on, or if there is none.
    pub(crate) async fn rollout_ends(
        &self,
        old: &Arc<Slot>,
        new: &Arc<Slot>,
        wanted: &Wanted,
    ) -> Option<String> {
        let policy = new.name();
        let record = self.history.record(policy);
        let digest = record.rollout.as_ref()?.module.clone();
        if wanted.names_another_module(&record) {
            return Some(OTHER_MODULE.to_owned());
        }
        if Arc::ptr_eq(old, new) {
            return None;
        }
        let module = on_disk(&self.history, move |history| history.module(&digest)).await;
        let loaded = match module {
            Ok(module) => self.loaded(new, &module).await,
            Err(error) => Err(unwritten(policy, error)),
        };
        loaded.err().map(|error| not_loaded(&error.reason))
    }

    /// Returns the change that an operator is told of when a reload ends the rollout of a policy.
    pub(crate) fn rollout_change(&self, policy: &str, reason: String) -> Option<Change> {
        let rollout = self.history.record(policy).rollout?;
        let reason = stored::one_line(&reason);
        Some(Change {
            key: format!("policy.{policy} (rollout)"),
            old: Some(short(&rollout.digest).into()),
            new: None,
            note: Some(format!("the rollout of this version ends: {reason}")),
        })
    }

    /// Forgets the trial of a policy whose candidate has become the active version: a transaction that
    /// the candidate judges keeps to it.
    pub(crate) fn release_trial(&self, policy: &str) {
        if let Some(rollout) = self.rollouts.lock().remove(policy) {
            rollout.slot.release_trial();
            show_share(policy, None);
        }
    }

    /// Notes the end of a rollout, tells of it, and forgets it.
    async fn note_end(
        &self,
        policy: &str,
        end: RolloutEnd,
        reason: &str,
    ) -> Result<(), PolicyError> {
        let (name, why, counts) = (policy.to_owned(), reason.to_owned(), self.counts_of(policy));
        let noted = on_disk(&self.history, move |history| {
            history.update(|policies| {
                let record = policies.entry(name).or_default();
                record.end_rollout(end, &why, counts, Millis::now());
            })
        });
        noted.await.map_err(|error| unwritten(policy, error))?;
        self.drop_trial(policy);
        let record = self.history.record(policy);
        if let Some(ended) = record.rollouts.first() {
            let digest = &ended.digest;
            tracing::warn!(policy, digest, reason, "rollout ended");
            self.tell(ended.in_words(policy)).await;
        }
        Ok(())
    }

    /// Changes a rollout on the disk, and then in memory.
    async fn store_rollout(
        &self,
        policy: &str,
        rollout: &Rollout,
        change: impl FnOnce(&mut StoredRollout),
    ) -> Result<(), PolicyError> {
        let mut stored = rollout.stored.lock().clone();
        change(&mut stored);
        let (name, next) = (policy.to_owned(), stored.clone());
        let noted = on_disk(&self.history, move |history| {
            history.update(|policies| {
                policies.entry(name).or_default().rollout = Some(next);
            })
        });
        noted.await.map_err(|error| unwritten(policy, error))?;
        *rollout.stored.lock() = stored;
        Ok(())
    }

    /// Resumes the rollouts that are stored and not running: at a start, and after a reload with other
    /// settings. One that cannot be loaded ends.
    pub(crate) async fn resume_rollouts(&self) {
        for slot in self.slots() {
            let policy = slot.name();
            let record = self.history.record(policy);
            let known = self.rollouts.lock().get(policy).cloned();
            let now = Millis::now();
            let counted_from = match known.is_some() {
                true => FiguresBegin::Reload(now),
                false => FiguresBegin::Start(now),
            };
            let Some(mut stored) = record.rollout else {
                self.drop_trial(policy);
                continue;
            };
            if known.is_some_and(|known| Arc::ptr_eq(&known.slot, &slot)) {
                continue;
            }
            self.drop_trial(policy);
            let digest = stored.module.clone();
            let module = on_disk(&self.history, move |history| history.module(&digest)).await;
            let loaded = match module {
                Ok(module) => self.loaded(&slot, &module).await,
                Err(error) => Err(unwritten(policy, error)),
            };
            match loaded {
                Ok(version) => {
                    version.digest().clone_into(&mut stored.digest);
                    let digest = &stored.digest;
                    tracing::info!(policy, digest, "rollout resumed");
                    self.start_rollout(&slot, version, stored, counted_from);
                }
                Err(error) => {
                    let reason = not_loaded(&error.reason);
                    let ended = self.note_end(policy, RolloutEnd::RolledBack, &reason).await;
                    if let Err(error) = ended {
                        tracing::error!(%error, "the end of a rollout cannot be noted");
                    }
                }
            }
        }
        // Policies that the configuration names no longer.
        let slots = self.slots();
        let gone: Vec<String> = (self.rollouts.lock().keys())
            .filter(|policy| slots.iter().all(|slot| slot.name() != policy.as_str()))
            .cloned()
            .collect();
        for policy in gone {
            self.drop_trial(&policy);
        }
    }
}

impl Rollout {
    fn state(&self) -> RolloutState {
        let stored = self.stored.lock().clone();
        let share = match &stored.mode {
            RolloutMode::Shadow { .. } => None,
            RolloutMode::Canary { plan } => Some(plan.share(stored.step)),
        };
        RolloutState {
            policy: self.slot.name().to_owned(),
            share,
            counted_from: self.counted_from,
            in_doubt: share.is_some() && !self.observer.is_clear(),
            replaced: None,
            counts: self.observer.counts(),
            compared_in_step: self.observer.compared_in_step(),
            skipped: self.observer.skipped_calls(),
            differences: self.observer.differences(),
            rollout: stored,
        }
    }
}

/// Shows the metrics of a policy that has come into the configuration.
pub(crate) fn show_zero(policy: &str) {
    observer::show_zero(policy);
    show_share(policy, None);
}

/// Shows the share of a canary among the metrics.
fn show_share(policy: &str, share: Option<Ppm>) {
    let share = share.map_or(0.0, Ppm::fraction);
    metrics::gauge!("gatepost_rollout_share", "policy" => policy.to_owned()).set(share);
}

/// Checks that a plan has shares of a canary, and steps that something has to be known for.
fn check(plan: &StepPlan) -> Result<(), RolloutFault> {
    if !plan.is_sound() || plan.share(0) == Ppm::ALL {
        return Err(RolloutFault::Steps);
    }
    match plan.steps.len() > 1 && plan.at_least == 0 {
        true => Err(RolloutFault::NoCalls),
        false => Ok(()),
    }
}

/// Returns the reason of the end of a rollout whose candidate does not take the present settings.
pub(crate) fn not_loaded(fault: &PolicyFault) -> String {
    format!("it cannot be loaded any more: {fault}")
}

fn unwritten(policy: &str, error: std::io::Error) -> PolicyError {
    fault(policy, PolicyFault::History(Arc::new(error)))
}

impl VersionRecord {
    /// Notes the end of the rollout, if there is one.
    pub(crate) fn end_rollout(
        &mut self,
        end: RolloutEnd,
        reason: &str,
        counts: ObservationCounts,
        now: Millis,
    ) {
        if let Some(rollout) = self.rollout.take() {
            let ended = rollout.ended(end, reason, counts, now);
            self.rollouts.insert(0, ended);
            self.rollouts.truncate(crate::history::VERSIONS);
        }
    }
}
