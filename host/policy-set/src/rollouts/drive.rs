//! Steps of rollouts as time passes, and rollbacks by thresholds on the disk.

use std::sync::Arc;
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_rollout::{NextStep, Ppm, Share};

use super::stored::{RolloutEnd, RolloutMode};
use super::{Rollout, show_share};
use crate::activation::short;
use crate::history::ActivatedBy;
use crate::{Policies, PolicyError};

/// Interval at which steps are looked for.
const INTERVAL: Duration = Duration::from_secs(1);

impl Policies {
    /// Sees to the rollouts for as long as the relay runs.
    pub async fn drive_rollouts(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                () = self.breached.notified() => {}
                _ = ticks.tick() => {}
            }
            self.see_to_rollouts(Millis::now()).await;
        }
    }

    /// Notes the rollbacks that thresholds have made, and makes the steps that are due at `now`.
    pub async fn see_to_rollouts(&self, now: Millis) {
        if self.rollouts.lock().is_empty() {
            return;
        }
        let _swapping = self.swapping.lock().await;
        let rollouts: Vec<_> = (self.rollouts.lock().iter())
            .map(|(policy, rollout)| (policy.clone(), Arc::clone(rollout)))
            .collect();
        for (policy, rollout) in rollouts {
            if let Err(error) = self.see_to(&policy, &rollout, now).await {
                // It is tried again.
                tracing::error!(%error, "a rollout cannot go on");
            }
        }
    }

    async fn see_to(
        &self,
        policy: &str,
        rollout: &Rollout,
        now: Millis,
    ) -> Result<(), PolicyError> {
        if let Some(breach) = rollout.observer.breach() {
            let reason = breach.to_string();
            return self.note_end(policy, RolloutEnd::RolledBack, &reason).await;
        }
        let stored = rollout.stored.lock().clone();
        let RolloutMode::Canary { plan } = &stored.mode else {
            return Ok(());
        };
        if stored.held {
            return Ok(());
        }
        let time = now.0.saturating_sub(stored.step_begun.0);
        let compared = rollout.observer.compared_in_step();
        match plan.next(stored.step, time, compared, rollout.observer.is_clear()) {
            NextStep::Stay => Ok(()),
            NextStep::Raise(step, share) => {
                self.raise(policy, rollout, step, share, now).await?;
                self.tell(format!(
                    "policy {policy}: version {} decides for {share} of the mail, after {compared} calls within the thresholds",
                    short(&stored.digest),
                ))
                .await;
                Ok(())
            }
            NextStep::Promote => {
                let reason = format!("promoted after {compared} calls within the thresholds");
                let by = ActivatedBy::rollout(&stored.by.source);
                self.put_candidate(policy, rollout, by, &reason).await?;
                Ok(())
            }
        }
    }

    /// Raises the share of a canary: on the disk first.
    async fn raise(
        &self,
        policy: &str,
        rollout: &Rollout,
        step: usize,
        of: Ppm,
        now: Millis,
    ) -> Result<(), PolicyError> {
        let stored = self.store_rollout(policy, rollout, |stored| {
            stored.step = step;
            stored.step_begun = now;
        });
        stored.await?;
        let salt = rollout.stored.lock().salt;
        rollout.observer.begin_step();
        // A breach meanwhile has ended it, and the next turn notes that.
        if rollout.observer.breach().is_none() {
            let raised = rollout.trial.with_share(Share { of, salt });
            rollout.slot.try_out(raised);
            if rollout.observer.breach().is_some() {
                rollout.slot.end_trial();
            }
        }
        tracing::info!(policy, share = %of, "rollout goes on");
        show_share(policy, Some(of));
        Ok(())
    }
}
