//! Swaps of one policy's version: by an operator, by the watched folder, and back.
//!
//! Each is in the [history](crate::history) before it takes effect, so that a restart finds what was
//! active, and is told of by an event afterwards.

use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::Millis;
use gatepost_model::{Event, NoticeSubject};
use gatepost_policy::{LoadError, Slot, Version};

use crate::history::{
    ActivatedBy, ActivatedVersion, ManualActivation, VersionRecord, digest_of, on_disk,
};
use crate::rollouts::RolloutEnd;
use crate::{Policies, PolicyError, PolicyFault, Swap, SwapOutcome, fault};

/// Version to activate, with what the history and the event tell of it.
pub(crate) struct Activation {
    pub(crate) version: Arc<Version>,
    pub(crate) module: Bytes,
    pub(crate) by: ActivatedBy,
    pub(crate) reason: Option<String>,
    /// True if it is the configuration's word, as a module in the watched folder is.
    pub(crate) is_configured: bool,
    /// End of the rollout that the policy may have.
    pub(crate) ends: RolloutEnd,
}

impl Policies {
    /// Loads a module with the policy's current definition, and activates it. It stays until the
    /// configuration names another module than it does now.
    ///
    /// # Errors
    /// There is no such policy, the module cannot be loaded, or the history not be written; the
    /// active version stays.
    pub async fn activate(
        &self,
        policy: &str,
        module: Bytes,
        by: ActivatedBy,
    ) -> Result<Swap, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let slot = self.slot(policy)?;
        self.load_and_put(&slot, module, by, false, None).await
    }

    /// Activates the module that appeared in the watched folder for a policy. If it cannot be read
    /// or loaded, the active version stays, and the log and [`Policies::refused`] give the reason.
    pub async fn activate_from_folder(&self, policy: &str, module: Result<Bytes, PolicyFault>) {
        let _swapping = self.swapping.lock().await;
        let activated = async {
            let slot = self.slot(policy)?;
            let module = module.map_err(|reason| fault(policy, reason))?;
            self.load_and_put(&slot, module, ActivatedBy::folder(), true, None)
                .await
        };
        match activated.await {
            Ok(_) => {
                self.refused.write().remove(policy);
            }
            Err(error) => {
                tracing::error!(policy, %error, "the new module is not activated, the active version stays");
                self.refused
                    .write()
                    .insert(policy.to_owned(), error.reason.to_string());
            }
        }
    }

    /// Ends the policy's rollout. Without one, activates an earlier version again: the last with another
    /// module than the active one, or the one whose digest begins with `to`.
    ///
    /// # Errors
    /// There is no such policy or no such version, it cannot be loaded with the present settings, or
    /// the history not be read or written. Or no version is named, and the last thing that happened to
    /// the policy is that a candidate was dropped.
    pub async fn rollback(
        &self,
        policy: &str,
        to: Option<&str>,
        by: ActivatedBy,
    ) -> Result<Swap, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let slot = self.slot(policy)?;
        if to.is_none()
            && let Some(dropped) = self.drop_candidate(&slot, &by).await?
        {
            return Ok(dropped);
        }
        if to.is_none()
            && let Some(over) = self.nothing_to_drop(&slot)
        {
            return Err(fault(policy, PolicyFault::Rollout(over)));
        }
        let record = self.history.record(policy);
        let found = match to {
            None => {
                let active = slot.current();
                let before = record.before(&active.inspection().digest);
                before.ok_or(PolicyFault::NoEarlier)
            }
            Some(digest) => match record.named(digest).as_slice() {
                [version] => Ok(*version),
                versions => Err(PolicyFault::NoSuchVersion {
                    digest: digest.to_owned(),
                    found: versions.len(),
                }),
            },
        };
        let found = found.map_err(|reason| fault(policy, reason))?;
        let swap = self.put_kept(&slot, &found.module, by, Some(found)).await?;
        let rolled_back_before = match swap.outcome {
            SwapOutcome::Activated => record.rolled_back(&found.module),
            SwapOutcome::CandidateDropped | SwapOutcome::ActiveAlready => None,
        };
        Ok(Swap {
            rolled_back_before,
            ..swap
        })
    }

    /// Activates the module that the configuration names: ends what was activated by hand.
    ///
    /// # Errors
    /// There is no such policy, the module cannot be loaded, or the history not be read or written.
    pub async fn activate_configured(
        &self,
        policy: &str,
        by: ActivatedBy,
    ) -> Result<Swap, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let slot = self.slot(policy)?;
        let configured = self.history.record(policy).configured;
        let missing = || {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            fault(policy, PolicyFault::History(Arc::new(missing)))
        };
        let configured = configured.ok_or_else(missing)?;
        self.put_kept(&slot, &configured, by, None).await
    }

    /// Returns the record of a policy: its versions, and what was activated by hand.
    ///
    /// # Errors
    /// There is no such policy.
    pub fn record(&self, policy: &str) -> Result<VersionRecord, PolicyError> {
        self.slot(policy)?;
        Ok(self.history.record(policy))
    }

    async fn put_kept(
        &self,
        slot: &Slot,
        module: &str,
        by: ActivatedBy,
        named: Option<&ActivatedVersion>,
    ) -> Result<Swap, PolicyError> {
        let digest = module.to_owned();
        let module = on_disk(&self.history, move |history| history.module(&digest)).await;
        let module = module.map_err(|error| unusable(slot, error))?;
        self.load_and_put(slot, module, by, false, named).await
    }

    async fn load_and_put(
        &self,
        slot: &Slot,
        module: Bytes,
        by: ActivatedBy,
        is_configured: bool,
        named: Option<&ActivatedVersion>,
    ) -> Result<Swap, PolicyError> {
        let current = slot.current();
        let digest = gatepost_policy::version_digest(current.definition(), &module);
        if digest == current.digest() {
            if is_configured {
                self.note_configured(slot, &module).await?;
            }
            return Ok(self.unswapped(slot, SwapOutcome::ActiveAlready, digest));
        }
        let words = || match named {
            // Its settings may have been others: people know it by the digest that it had.
            Some(named) => format!("version {}", short(&named.digest)),
            None => module_in_words(&module),
        };
        let version = self.loaded_as(slot, &module, words).await?;
        let activation = Activation {
            version,
            module,
            by,
            reason: None,
            is_configured,
            ends: RolloutEnd::Replaced,
        };
        self.put(slot, activation).await
    }

    /// Notes that the configuration names the module that is active already.
    async fn note_configured(&self, slot: &Slot, module: &Bytes) -> Result<(), PolicyError> {
        let (policy, version) = (slot.name().to_owned(), slot.current().digest().to_owned());
        let module = module.clone();
        let noted = on_disk(&self.history, move |history| {
            let module = history.keep(&module)?;
            history.update(|policies| {
                let record = policies.entry(policy).or_default();
                record.configured = Some(module);
                record.configured_version = Some(version);
                record.activated = None;
            })
        });
        noted.await.map_err(|error| unusable(slot, error))
    }

    /// Returns the answer of a request that has left the active version; `old` is the version that it
    /// was about.
    pub(crate) fn unswapped(&self, slot: &Slot, outcome: SwapOutcome, old: String) -> Swap {
        let policy = slot.name();
        let candidate = slot.trial().filter(|trial| !trial.has_ended());
        Swap {
            policy: policy.to_owned(),
            outcome,
            old,
            new: slot.current().digest().to_owned(),
            active_since: self.active_since(slot),
            configured: self.history.record(policy).activated.is_none(),
            rolled_back_before: None,
            candidate: candidate.map(|trial| trial.version().digest().to_owned()),
        }
    }

    /// Returns the time from which the active version of a slot has been active, also before a restart.
    pub fn active_since(&self, slot: &Slot) -> Millis {
        let version = slot.current();
        let noted = self
            .history
            .record(slot.name())
            .active_since(version.digest());
        // A history that could not be written has another version.
        noted.unwrap_or_else(|| version.loaded_at())
    }

    /// Loads a module for a slot. If it refuses the settings, the error names it by these words.
    pub(crate) async fn loaded_as(
        &self,
        slot: &Slot,
        module: &Bytes,
        named: impl FnOnce() -> String,
    ) -> Result<Arc<Version>, PolicyError> {
        // On the heap, so that the futures around it stay small and shallow.
        let loaded = Box::pin(self.loaded(slot, module)).await;
        loaded.map_err(|error| match *error.reason {
            PolicyFault::Load(source @ LoadError::Settings { .. }) => {
                let version = named();
                fault(
                    slot.name(),
                    PolicyFault::SettingsRefused { version, source },
                )
            }
            reason => fault(slot.name(), reason),
        })
    }

    /// Loads a module for a slot, or returns the version before the active one, if it is that with
    /// the present settings and limits: a rollback takes no time then.
    pub(crate) async fn loaded(
        &self,
        slot: &Slot,
        module: &Bytes,
    ) -> Result<Arc<Version>, PolicyError> {
        let current = slot.current();
        let definition = current.definition();
        let digest = gatepost_policy::version_digest(definition, module);
        if let Some(previous) = slot.previous() {
            let of = previous.definition();
            let (now, then) = (
                (definition.on_error, definition.grants, definition.limits),
                (of.on_error, of.grants, of.limits),
            );
            if previous.digest() == digest && now == then {
                return Ok(previous);
            }
        }
        let loaded = self.engine.load(definition.clone(), module.clone()).await;
        let loaded = loaded.map_err(|error| fault(slot.name(), error.into()))?;
        Ok(Arc::new(loaded))
    }

    /// Notes an activation in the history, and then makes it.
    pub(crate) async fn put(
        &self,
        slot: &Slot,
        activation: Activation,
    ) -> Result<Swap, PolicyError> {
        let Activation {
            version,
            module,
            by,
            reason,
            is_configured,
            ends,
        } = activation;
        let entry = ActivatedVersion {
            digest: version.digest().to_owned(),
            module: version.inspection().digest.clone(),
            size: module.len() as u64,
            at: Millis::now(),
            by: by.clone(),
            reason: reason.clone(),
        };
        let (policy, at) = (slot.name().to_owned(), entry.at);
        let counts = self.counts_of(&policy);
        let why_ended = match (ends, &reason) {
            (RolloutEnd::Promoted, Some(reason)) => reason.clone(),
            _ => "another version was activated".to_owned(),
        };
        let noted = on_disk(&self.history, move |history| {
            history.keep(&module)?;
            let mut is_activated = false;
            history.update(|policies| {
                let record = policies.entry(policy).or_default();
                if is_configured {
                    // Like a version that a reload has loaded.
                    record.configured = Some(entry.module.clone());
                    record.configured_version = Some(entry.digest.clone());
                }
                let configured = record.configured.clone().unwrap_or_default();
                record.activated = (entry.module != configured).then(|| ManualActivation {
                    module: entry.module.clone(),
                    configured,
                });
                is_activated = record.activated.is_some();
                record.note(entry);
                record.end_rollout(ends, &why_ended, counts, at);
            })?;
            Ok(!is_activated)
        });
        let configured = noted.await.map_err(|error| unusable(slot, error))?;
        let new = version.digest().to_owned();
        let old = slot.activate(version).digest().to_owned();
        let policy = slot.name().to_owned();
        match ends {
            RolloutEnd::Promoted => self.release_trial(&policy),
            RolloutEnd::RolledBack | RolloutEnd::Replaced => {
                self.drop_trial(&policy);
            }
        }
        tracing::info!(
            policy,
            old,
            new,
            by = by.actor,
            source = by.source,
            reason,
            "policy swapped"
        );
        let why = reason.map(|reason| format!(": {reason}"));
        self.tell(format!(
            "policy {policy}: version {} is active in the place of {}, activated {by}{}",
            short(&new),
            short(&old),
            why.unwrap_or_default()
        ))
        .await;
        Ok(Swap {
            policy,
            outcome: SwapOutcome::Activated,
            old,
            new,
            active_since: at,
            configured,
            rolled_back_before: None,
            candidate: None,
        })
    }

    /// Appends a notice to the events of the store.
    pub(crate) async fn tell(&self, text: String) {
        let Some(events) = &self.events else { return };
        let notice = Event::notice(None, NoticeSubject::Policy, text, Millis::now());
        if let Err(error) = events.append(vec![notice]).await {
            tracing::error!(%error, "a change of a policy was not noted as an event");
        }
    }
}

/// Returns the beginning of a digest, by which people know a version.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// Returns the name of a module that may have no version yet.
pub(crate) fn module_in_words(module: &[u8]) -> String {
    format!("the module {}", short(&digest_of(module)))
}

fn unusable(slot: &Slot, error: std::io::Error) -> PolicyError {
    fault(slot.name(), PolicyFault::History(Arc::new(error)))
}
