//! The version that a policy is to have at a start or a reload: the configuration's, or the one that
//! was activated by hand and stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_config::{Config, Policy};
use gatepost_message::Millis;
use gatepost_policy::{Version, version_digest};
use gatepost_rollout::ObservationCounts;

use crate::activation::short;
use crate::history::{
    ActivatedBy, ActivatedVersion, ManualActivation, VersionRecord, digest_of, on_disk,
    retire_others,
};
use crate::rollouts::RolloutEnd;
use crate::{Policies, PolicyError, PolicyFault, definition, fault, module};

/// Reason of a version that other settings have made.
const SETTINGS_CHANGED: &str =
    "its settings have changed; the module stays as it was activated by hand";

/// Occasion at which a version is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WantedAt {
    /// The policy has no active version yet. One that was activated by hand and cannot be loaded any
    /// more gives way to the configuration's: mail must flow.
    Start,
    /// The policy has an active version. A module activated by hand that does not fit the new
    /// settings refuses the reload.
    Reload,
}

/// Facts for the history about the version that a policy is to have.
#[derive(Debug)]
pub(crate) struct Wanted {
    policy: String,
    version: ActivatedVersion,
    /// Module of the version, and the one that the configuration names.
    modules: [Bytes; 2],
    /// Digest of the module that the configuration names.
    configured: String,
    /// Digest of that module with the settings.
    configured_version: String,
    /// Module that was activated by hand, if it stays.
    activated: Option<ManualActivation>,
    /// End of a module that was activated by hand and gives way.
    pub(crate) ends: Option<ManualEnd>,
}

/// End of a version that was activated by hand.
#[derive(Debug)]
pub(crate) struct ManualEnd {
    /// Digest of the version, or of its module if the history has no version of it.
    digest: String,
    /// Reason.
    pub(crate) reason: &'static str,
}

/// Reason of an end by a configuration that names another module.
pub(crate) const OTHER_MODULE: &str = "the configuration names another module";

/// Reason of the end of a module that was activated by hand and is damaged, or does not take new settings.
const NOT_LOADED: &str = "its module cannot be loaded any more";

impl Wanted {
    /// Returns true if the configuration names another module than it did before.
    pub(crate) fn names_another_module(&self, record: &VersionRecord) -> bool {
        (record.configured.as_ref()).is_some_and(|was| *was != self.configured)
    }
}

impl ManualEnd {
    fn of(activated: &ManualActivation, record: &VersionRecord, reason: &'static str) -> Self {
        let version = record.versions.first();
        let version = version.filter(|of| of.module == activated.module);
        let digest = version.map_or(&activated.module, |of| &of.digest);
        Self {
            digest: digest.clone(),
            reason,
        }
    }
}

impl Policies {
    /// Loads the version that a policy is to have.
    pub(crate) async fn wanted(
        &self,
        config: &Config,
        policy: &Policy,
        at: WantedAt,
    ) -> Result<(Version, Wanted), PolicyError> {
        let wanted = self.find_wanted(config, policy, at).await;
        wanted.map_err(|reason| fault(&policy.name, reason))
    }

    async fn find_wanted(
        &self,
        config: &Config,
        policy: &Policy,
        at: WantedAt,
    ) -> Result<(Version, Wanted), PolicyFault> {
        let named = module(policy).await?;
        let definition = definition(config, policy).await?;
        let configured = digest_of(&named);
        let configured_version = version_digest(&definition, &named);
        let record = self.history.record(&policy.name);
        let noted = record.activated.as_ref();
        let stays = noted.filter(|of| of.configured == configured).cloned();
        let mut loaded = None;
        if let Some(activated) = &stays {
            let name = activated.module.clone();
            let found = on_disk(&self.history, move |history| history.module(&name)).await;
            loaded = match found {
                Ok(module) => match self.engine.load(definition.clone(), module.clone()).await {
                    Ok(version) => Some((version, module)),
                    Err(error) if at == WantedAt::Start => given_up(policy, &error),
                    Err(source) => {
                        let policy = policy.name.clone();
                        return Err(PolicyFault::Activated { policy, source });
                    }
                },
                Err(error) if at == WantedAt::Start => given_up(policy, &error),
                Err(error) => return Err(PolicyFault::History(Arc::new(error))),
            };
        }
        let gives_way = match stays.is_some() {
            true => NOT_LOADED,
            false => OTHER_MODULE,
        };
        let activated = stays.filter(|_| loaded.is_some());
        // The configuration may name what was activated, by now.
        let ends = noted.filter(|of| of.module != configured && activated.is_none());
        let ends = ends.map(|of| ManualEnd::of(of, &record, gives_way));
        let (version, module) = match loaded {
            Some(loaded) => loaded,
            None => (
                self.engine.load(definition, named.clone()).await?,
                named.clone(),
            ),
        };
        let wanted = Wanted {
            policy: policy.name.clone(),
            version: ActivatedVersion {
                digest: version.digest().to_owned(),
                module: version.inspection().digest.clone(),
                size: module.len() as u64,
                at: Millis::now(),
                by: match (&activated, record.versions.first()) {
                    // The module stays: only its settings are the configuration's.
                    (Some(_), Some(former)) => ActivatedBy::settings(&former.by.source),
                    _ => ActivatedBy::configuration(),
                },
                reason: (activated.is_some()).then(|| SETTINGS_CHANGED.to_owned()),
            },
            modules: [module, named],
            configured_version,
            ends,
            configured,
            activated,
        };
        Ok((version, wanted))
    }

    /// Notes in the history which versions are about to be active, and tells of those that change.
    pub(crate) async fn note_wanted(&self, wanted: Vec<Wanted>) {
        for of in &wanted {
            if let Some(ManualEnd { digest, reason }) = &of.ends {
                let (policy, now) = (&of.policy, &of.version.digest);
                tracing::warn!(
                    policy,
                    digest,
                    now,
                    reason,
                    "the version that was activated by hand ends"
                );
            }
        }
        let counts: BTreeMap<String, ObservationCounts> = (wanted.iter())
            .map(|of| (of.policy.clone(), self.counts_of(&of.policy)))
            .collect();
        let mut changes = Vec::new();
        for of in &wanted {
            let versions = self.history.record(&of.policy).versions;
            if let Some(former) = versions.first()
                && former.digest != of.version.digest
            {
                changes.push(format!(
                    "policy {}: version {} is active in the place of {}, activated {}",
                    of.policy,
                    short(&of.version.digest),
                    short(&former.digest),
                    of.version.by
                ));
            }
        }
        let noted = on_disk(&self.history, move |history| {
            for module in wanted.iter().flat_map(|of| &of.modules) {
                history.keep(module)?;
            }
            history.update(|policies| {
                for of in &wanted {
                    let record = policies.entry(of.policy.clone()).or_default();
                    record.note(of.version.clone());
                    if of.names_another_module(record) {
                        let counts = counts.get(&of.policy).copied().unwrap_or_default();
                        let now = of.version.at;
                        record.end_rollout(RolloutEnd::Replaced, OTHER_MODULE, counts, now);
                    }
                    record.configured = Some(of.configured.clone());
                    record.configured_version = Some(of.configured_version.clone());
                    record.activated.clone_from(&of.activated);
                }
                let names = wanted.iter().map(|of| of.policy.clone()).collect();
                retire_others(policies, &names);
            })
        });
        if let Err(error) = noted.await {
            tracing::error!(%error, "the history of the policies' versions cannot be written");
        }
        for change in changes {
            self.tell(change).await;
        }
    }
}

fn given_up(policy: &Policy, error: &dyn std::fmt::Display) -> Option<(Version, Bytes)> {
    let policy = &policy.name;
    tracing::error!(policy, %error, "the module that was activated by hand cannot be loaded any more");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_module_activated_by_hand_names_its_version() {
        let activated = ManualActivation {
            module: "cd".to_owned(),
            configured: "ef".to_owned(),
        };
        let mut record = VersionRecord::default();
        let end = ManualEnd::of(&activated, &record, OTHER_MODULE);
        assert_eq!(end.digest, "cd", "no version of it is known");
        record.versions.push(ActivatedVersion {
            digest: "ab".to_owned(),
            module: "cd".to_owned(),
            size: 7,
            at: Millis(1),
            by: ActivatedBy::new("root", "socket", "guest.wasm"),
            reason: None,
        });
        let end = ManualEnd::of(&activated, &record, OTHER_MODULE);
        assert_eq!((end.digest.as_str(), end.reason), ("ab", OTHER_MODULE));
    }
}
