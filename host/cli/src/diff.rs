//! `gatepost policy diff`: both sides of a comparison of versions, and what they are compared on.
//!
//! The old side has the active versions, or one of another module in the place of one of them; the new
//! side has the new module there, or new settings. Active is what a relay has had in use last,
//! or what the configuration names. Both are compared on the
//! record of the store, or on a folder of messages, which are recorded first by a dry run of the old
//! side.

mod corpus;
mod one;
mod page;
mod words;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_config::Config;
use gatepost_directory::View;
use gatepost_intake::edits::verdict_fields;
use gatepost_intake::look_ups::AccountView;
use gatepost_policy::{Definition, Engine, LoadError, Memory, NoMemory, PolicyContext, Version};
use gatepost_policy_set::history::VersionHistory;
use gatepost_policy_set::{Policies, PolicyErrors};
use gatepost_replay::{Comparison, Judges};

use crate::commands::output;

pub use self::corpus::{Corpus, CorpusError};
pub use self::one::{in_json, side_by_side};
pub use self::page::page;
pub use self::words::{counted, nothing_compared, number, summary};

/// Versions of a comparison.
pub struct Sides {
    /// Name of the policy that differs.
    pub policy: String,
    /// Its version on the old side.
    pub old: Arc<Version>,
    /// Its version on the new side.
    pub new: Arc<Version>,
    /// Policies as the relay has them, with the versions that are active.
    pub policies: Arc<Policies>,
    /// Both sides.
    pub comparison: Arc<Comparison>,
}

/// Module and settings that take the place of those of the configuration, each with its file.
#[derive(Debug, Clone, Default)]
pub struct Replacement {
    /// Module.
    pub module: Option<(PathBuf, Bytes)>,
    /// Settings.
    pub settings: Option<(PathBuf, serde_json::Value)>,
}

impl Replacement {
    /// Says which module and which settings cannot be used together. `option` gives others of this side.
    fn refused(&self, side: &'static str, policy: &str, source: LoadError) -> SidesError {
        let option = match side {
            "new" => "--settings",
            _ => "--against-settings",
        };
        let module = match &self.module {
            Some((file, _)) => format!("the module {}", file.display()),
            None => "the active module".to_owned(),
        };
        let (settings, advice) = match &self.settings {
            Some((file, _)) => (
                format!("the settings of {}", file.display()),
                format!("mend them, or give others with {option} FILE"),
            ),
            None => (
                "the settings of the configuration".to_owned(),
                format!("give settings that it knows with {option} FILE"),
            ),
        };
        let advice = matches!(source, LoadError::Settings { .. }).then_some(advice);
        SidesError::Load {
            side,
            version: format!("{module}, with {settings}"),
            policy: policy.to_owned(),
            advice,
            source,
        }
    }
}

/// Error: there is nothing to compare.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SidesError {
    /// The versions of the configuration cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Configured(#[from] PolicyErrors),
    /// The configuration has no such policy.
    #[error("the configuration has no policy \"{policy}\"; it has {}", known.join(", "))]
    #[diagnostic(help("name one of them with --name"))]
    Unknown {
        /// Name that was given.
        policy: String,
        /// Names that it has.
        known: Vec<String>,
    },
    /// A module or its settings are refused.
    #[error("the {side} version of {policy} cannot be used ({version}): {source}")]
    Load {
        /// Side.
        side: &'static str,
        /// Module and settings, with where they are from.
        version: String,
        /// Name of the policy.
        policy: String,
        /// Advice on what to do.
        #[help]
        advice: Option<String>,
        /// Reason.
        source: LoadError,
    },
}

impl Sides {
    /// Loads both sides.
    ///
    /// # Errors
    /// A version cannot be loaded.
    pub async fn load(
        engine: &Arc<Engine>,
        config: &Arc<Config>,
        directory: &Arc<View>,
        policy: &str,
        (old, new): (Replacement, Replacement),
    ) -> Result<Self, SidesError> {
        let history = history(config).await;
        let policies = Policies::load_with(Arc::clone(engine), config, history, None, &|_| {});
        let policies = Arc::new(policies.await?);
        let slots = policies.slots();
        let Some(slot) = slots.iter().find(|slot| slot.name() == policy) else {
            return Err(SidesError::Unknown {
                policy: policy.to_owned(),
                known: slots.iter().map(|slot| slot.name().to_owned()).collect(),
            });
        };
        let slot = Arc::clone(slot);
        // Where both sides have settings of their own, nobody asks whether the active version knows the present ones.
        let apart = (old.settings.is_some() && new.settings.is_some()).then_some(policy);
        let actives = active_versions(engine, config, &policies, apart).await?;
        let active = actives
            .get(policy)
            .cloned()
            .unwrap_or_else(|| slot.current());
        let present = active_module(config, policy).await;
        let load = async |side, replacement: Replacement| {
            if replacement.module.is_none() && replacement.settings.is_none() {
                return Ok(Arc::clone(&active));
            }
            let settings = replacement.settings.as_ref();
            let definition = Definition {
                settings: settings
                    .map_or(&active.definition().settings, |(_, settings)| settings)
                    .clone(),
                ..active.definition().clone()
            };
            let module = replacement.module.as_ref().map(|(_, module)| module);
            let module = module.or(present.as_ref()).cloned().unwrap_or_default();
            let loaded = engine.load(definition, module).await;
            loaded
                .map(Arc::new)
                .map_err(|source| replacement.refused(side, policy, source))
        };
        let old = load("old", old).await?;
        let new = load("new", new).await?;
        let memory = memory(config).await;
        let known = |of: &Arc<Version>| {
            let accounts = AccountView {
                config: Arc::clone(config),
                directory: Arc::clone(directory),
            };
            (accounts.policy_context(Arc::clone(&memory)), Arc::clone(of))
        };
        let side = |of: &Arc<Version>| judges(config, (&policies, &actives), known(of));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            policy: policy.to_owned(),
            comparison: Comparison::new(side(&old), side(&new), threads),
            policies: Arc::clone(&policies),
            old,
            new,
        })
    }
}

/// Returns which versions were activated by hand in the store; none if that cannot be read.
async fn history(config: &Config) -> VersionHistory {
    let store = config.relay.store.clone();
    let copied = tokio::task::spawn_blocking(move || VersionHistory::copy_of(&store)).await;
    // What cannot be read is told of where the active modules are looked for.
    copied
        .unwrap_or_else(|_| Ok(VersionHistory::default()))
        .unwrap_or_default()
}

/// Returns the active module of a policy, if it can be read: the last one that a relay has had in use,
/// or else what the configuration names.
async fn active_module(config: &Config, policy: &str) -> Option<Bytes> {
    let (store, name) = (config.relay.store.clone(), policy.to_owned());
    let active = tokio::task::spawn_blocking(move || VersionHistory::active_module(&store, &name));
    match active.await {
        Ok(Ok(Some(active))) => return Some(active),
        Ok(Ok(None)) | Err(_) => {}
        Ok(Err(error)) => output::complain(format!(
            "gatepost: comparing with the modules of the configuration: the history of the versions cannot \
             be read: {error}"
        )),
    }
    let configured = config.policies.iter().find(|of| of.name == policy)?;
    gatepost_policy_set::module(configured).await.ok()
}

/// Returns the active versions that are not those of the configuration, by policy. That of the policy `apart`
/// may refuse the settings.
async fn active_versions(
    engine: &Arc<Engine>,
    config: &Config,
    policies: &Policies,
    apart: Option<&str>,
) -> Result<HashMap<String, Arc<Version>>, SidesError> {
    let mut found = HashMap::new();
    for slot in policies.slots() {
        let (policy, version) = (slot.name().to_owned(), slot.current());
        let Some(module) = active_module(config, &policy).await else {
            continue;
        };
        if gatepost_policy::version_digest(version.definition(), &module) == version.digest() {
            continue;
        }
        let loaded = engine.load(version.definition().clone(), module).await;
        match loaded {
            Ok(loaded) => drop(found.insert(policy, Arc::new(loaded))),
            Err(_) if apart == Some(&*policy) => {}
            Err(source) => return Err(Replacement::default().refused("active", &policy, source)),
        }
    }
    Ok(found)
}

/// Returns the counts, marks and machines of the store; none if they cannot be read.
async fn memory(config: &Config) -> Arc<dyn Memory> {
    let store = config.relay.store.clone();
    let read = tokio::task::spawn_blocking(move || gatepost_spool::read_memory(&store)).await;
    match read {
        Ok(Ok(counters)) => Arc::new(counters),
        Ok(Err(error)) => {
            output::complain(format!(
                "gatepost: comparing without the counts and marks of the store: {error}"
            ));
            Arc::new(NoMemory)
        }
        Err(_) => Arc::new(NoMemory),
    }
}

/// Returns one side: the active versions, this one in its place. It looks up in `present` what was not
/// recorded.
fn judges(
    config: &Config,
    (policies, actives): (&Policies, &HashMap<String, Arc<Version>>),
    (present, version): (PolicyContext, Arc<Version>),
) -> Judges {
    let chains = config.listeners.iter().map(|listener| {
        let chain = policies.chain(&listener.name);
        let versions = chain
            .slots()
            .iter()
            .map(|slot| match slot.name() == version.name() {
                true => Arc::clone(&version),
                false => actives
                    .get(slot.name())
                    .cloned()
                    .unwrap_or_else(|| slot.current()),
            });
        (listener.name.clone(), versions.collect())
    });
    Judges {
        chains: chains.collect::<HashMap<_, _>>(),
        present,
        sizes: config.limits.sizes(),
        reserved: verdict_fields::reserved(config),
    }
}
