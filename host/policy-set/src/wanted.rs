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
    ActivatedBy, ActivatedVersion, ManualActivation, digest_of, on_disk, retire_others,
};
use crate::rollouts::RolloutEnd;
use crate::{Policies, PolicyError, PolicyFault, definition, fault, module};

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
    /// True if a module that was activated by hand gives way.
    pub(crate) ends: bool,
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
        let noted = record.activated;
        let stays = noted.clone().filter(|of| of.configured == configured);
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
        let activated = stays.filter(|_| loaded.is_some());
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
                by: ActivatedBy::configuration(),
                reason: None,
            },
            modules: [module, named],
            configured_version,
            // The configuration may name what was activated, by now.
            ends: noted.is_some_and(|of| of.module != configured) && activated.is_none(),
            configured,
            activated,
        };
        Ok((version, wanted))
    }

    /// Notes in the history which versions are about to be active, and tells of those that change.
    pub(crate) async fn note_wanted(&self, wanted: Vec<Wanted>) {
        for of in wanted.iter().filter(|of| of.ends) {
            let (policy, digest) = (&of.policy, &of.version.digest);
            tracing::warn!(
                policy,
                digest,
                "the version that was activated by hand ends: the configuration names another module, or it cannot be loaded"
            );
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
                    if record
                        .configured
                        .as_ref()
                        .is_some_and(|was| *was != of.configured)
                    {
                        let reason = "the configuration names another module";
                        let counts = counts.get(&of.policy).copied().unwrap_or_default();
                        record.end_rollout(RolloutEnd::Replaced, reason, counts);
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
