//! The active policies: loaded as the configuration names them, each in a slot of its own, and the
//! listeners' chains made of these slots.
//!
//! A swap puts a new version into its slot, so that every chain with this slot follows at once. What
//! swaps stands in [`activation`]. A reload replaces the whole set of slots at once, after every
//! policy of the new set has been loaded ([`Policies::prepare`]).
//!
//! The configuration says which module a policy has, until somebody activates another by hand. Such
//! a module stays, also after a restart, until the configuration names another module than it did
//! then: the later word holds. Settings and limits are always the configuration's. The
//! [`history`] keeps what was active, with who, when and from where.

#![forbid(unsafe_code)]

pub mod activation;
pub mod eml;
pub mod folder;
pub mod history;
pub mod loading;
pub mod rollouts;
mod wanted;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Session, Transaction, Transport};
use gatepost_observability::{PolicyState, PolicyStates};
use gatepost_policy::{
    Chain, Definition, Engine, LoadError, ModuleFileError, SelfTest, Slot, Version, read_module,
};
use miette::Diagnostic;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};

use gatepost_builtin as builtin;
use gatepost_config::{self as config, Change, Config, Direction, Policy};
use gatepost_spool::EventLog;

use crate::activation::short;
use crate::history::NO_SUCH_POLICY;
use crate::history::VersionHistory;
use crate::rollouts::{Rollout, RolloutFault};
use crate::wanted::{ManualEnd, Wanted, WantedAt};

/// All policies of a relay.
pub struct Policies {
    engine: Arc<Engine>,
    history: Arc<VersionHistory>,
    /// Events of the store, which tell of activations; `None` where there is no store.
    events: Option<Arc<dyn EventLog>>,
    active: ArcSwap<ActiveSet>,
    /// Held while versions are loaded and activated, so that swaps are sequential and each names
    /// the version that it really replaced.
    swapping: Arc<Mutex<Configured>>,
    /// Reason why the module in the watched folder is not active, by name of the policy.
    refused: RwLock<BTreeMap<String, String>>,
    /// Rollouts, by name of the policy.
    rollouts: parking_lot::Mutex<BTreeMap<String, Arc<Rollout>>>,
    /// Notified when a rollout has breached a threshold.
    breached: Arc<Notify>,
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut policies = formatter.debug_struct("Policies");
        policies
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct ActiveSet {
    slots: BTreeMap<String, Arc<Slot>>,
    chains: BTreeMap<String, Chain>,
}

/// Self-tests of each policy, by its name, each with the digest of its message.
type Configured = BTreeMap<String, Vec<(config::SelfTest, Option<String>)>>;

/// Policies that have been loaded for a configuration and wait to be activated. Until they are, or
/// this is dropped, nothing else is swapped.
#[derive(Debug)]
pub struct PreparedSet {
    set: ActiveSet,
    configured: Configured,
    /// Changes that their activation makes.
    pub changes: Vec<Change>,
    /// Facts of each policy for the history.
    wanted: Vec<Wanted>,
    swapping: OwnedMutexGuard<Configured>,
}

impl PreparedSet {
    /// Returns the chain of a listener.
    pub fn chain(&self, listener: &str) -> Chain {
        self.set.chains.get(listener).cloned().unwrap_or_default()
    }
}

/// A completed swap, or the reason why none was needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Swap {
    /// Name of the policy.
    pub policy: String,
    /// Change that was made.
    pub outcome: SwapOutcome,
    /// Digest of the version that was replaced, or of the candidate that was dropped. That of the
    /// active version if nothing has changed.
    pub old: String,
    /// Digest of the active version.
    pub new: String,
    /// Time from which it has been active.
    pub active_since: Millis,
    /// True if the configuration names its module.
    pub configured: bool,
    /// Time at which a rollback took the active version away before, if it was active again by a
    /// rollback now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_before: Option<Millis>,
    /// Digest of the version that is still under trial beside the active one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
}

/// Change that a request to activate a version or to roll one back has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SwapOutcome {
    /// Another version is active.
    Activated,
    /// A candidate was dropped; the active version stays.
    CandidateDropped,
    /// The version was active already; nothing has changed.
    ActiveAlready,
}

impl PolicyStates for Policies {
    fn states(&self) -> Vec<PolicyState> {
        let state = |slot: &Arc<Slot>| PolicyState {
            name: slot.name().to_owned(),
            breaker: slot.breaker(),
            module_refused: self.refused(slot.name()).is_some(),
        };
        self.slots().iter().map(state).collect()
    }
}

/// A policy that cannot be used, and the reason.
#[derive(Debug, Error, Diagnostic)]
#[error("policy \"{policy}\": {reason}")]
pub struct PolicyError {
    /// Name of the policy.
    pub policy: String,
    /// Cause.
    pub reason: Box<PolicyFault>,
}

/// Fault that keeps a policy from being used.
#[derive(Debug, Error)]
pub enum PolicyFault {
    /// The message of a self-test cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// File.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// Its module cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Module {
        /// File.
        path: PathBuf,
        /// Cause.
        source: Arc<ModuleFileError>,
    },
    /// The engine refused it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The configuration has no such policy.
    #[error("the configuration has no policy of this name; it has {}", known.join(", "))]
    Unknown {
        /// Policies that it has.
        known: Vec<String>,
    },
    /// There is no earlier version.
    #[error("it has no earlier version; activate its file instead")]
    NoEarlier,
    /// The history has no version of this digest, or several.
    #[error("its history has {} whose digest begins with {digest:?}", match found { 0 => "no version".to_owned(), n => format!("{n} versions") })]
    NoSuchVersion {
        /// Beginning of the digest.
        digest: String,
        /// Number of versions of which it is the beginning.
        found: usize,
    },
    /// A module that was activated by hand cannot be loaded with the settings of the configuration.
    #[error(
        "the module that was activated by hand: {source}; end it with `gatepost policy activate --configured {policy}`"
    )]
    Activated {
        /// Name of the policy.
        policy: String,
        /// Cause.
        source: LoadError,
    },
    /// A version of the history, or a new module, does not take the settings of the configuration.
    #[error(
        "{version} does not take the present settings: {source}\nTake what it does not know out of the \
         configuration, or add what it misses; then `gatepost reload`, and try again"
    )]
    SettingsRefused {
        /// Version or module, with the beginning of its digest.
        version: String,
        /// Cause.
        source: LoadError,
    },
    /// A version cannot be tried.
    #[error(transparent)]
    Rollout(#[from] RolloutFault),
    /// The history cannot be read or written.
    #[error("the history of its versions in the store: {0}")]
    History(#[source] Arc<io::Error>),
}

/// All policies that cannot be used. Of a single one the text says which and why.
#[derive(Debug, Error)]
#[error("{}", in_words(.0))]
pub struct PolicyErrors(pub Vec<PolicyError>);

impl Diagnostic for PolicyErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let several = self.0.iter().map(|error| error as &dyn Diagnostic);
        (self.0.len() > 1).then(|| Box::new(several) as Box<_>)
    }
}

fn in_words(errors: &[PolicyError]) -> String {
    match errors {
        [error] => error.to_string(),
        errors => format!("{} policies cannot be used", errors.len()),
    }
}

impl Policies {
    /// Loads every policy that the configuration names, with a history in memory.
    ///
    /// # Errors
    /// All policies that could not be loaded, each with the reason.
    pub async fn load(engine: Arc<Engine>, config: &Config) -> Result<Self, PolicyErrors> {
        Self::load_with(engine, config, VersionHistory::default(), None, &|_| {}).await
    }

    /// Loads every policy that the configuration names, or that was activated by hand since, and
    /// appends an event for each activation that follows. Tells `progress` in one sentence how far it is,
    /// each time a policy begins or is loaded.
    ///
    /// # Errors
    /// All policies that could not be loaded, each with the reason.
    pub async fn load_with(
        engine: Arc<Engine>,
        config: &Config,
        history: VersionHistory,
        events: Option<Arc<dyn EventLog>>,
        progress: &(dyn Fn(String) + Sync),
    ) -> Result<Self, PolicyErrors> {
        let policies = Self {
            engine,
            history: Arc::new(history),
            events,
            active: ArcSwap::default(),
            swapping: Arc::default(),
            refused: RwLock::default(),
            rollouts: parking_lot::Mutex::default(),
            breached: Arc::default(),
        };
        let prepared = policies.prepare_telling(config, progress).await?;
        policies.activate_all(prepared).await;
        Ok(policies)
    }

    /// Loads every policy as the configuration says. Active versions that already match stay in
    /// their slots.
    ///
    /// # Errors
    /// All policies that could not be loaded, each with the reason.
    pub async fn prepare(&self, config: &Config) -> Result<PreparedSet, PolicyErrors> {
        self.prepare_telling(config, &|_| {}).await
    }

    async fn prepare_telling(
        &self,
        config: &Config,
        progress: &(dyn Fn(String) + Sync),
    ) -> Result<PreparedSet, PolicyErrors> {
        let swapping = Arc::clone(&self.swapping).lock_owned().await;
        let now = self.active.load_full();
        let mut slots = BTreeMap::new();
        let mut configured = Configured::new();
        let mut changes = Vec::new();
        let mut wanted_versions = Vec::new();
        let mut errors = Vec::new();
        let loaded = self.load_all(config, &now, progress).await;
        for (policy, loaded) in config.policies.iter().zip(loaded) {
            let (version, wanted) = match loaded {
                Ok(found) => found,
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            };
            let name = &policy.name;
            let tests = policy.self_tests.iter().map(|test| {
                let digest = config.document.digest_of(&test.file);
                (test.clone(), digest.map(str::to_owned))
            });
            let tests: Vec<_> = tests.collect();
            let former = swapping.get(name);
            let slot = match now.slots.get(name) {
                None => Slot::new(version),
                Some(slot) => {
                    let current = slot.current();
                    if is_equivalent(&version, &current) && former == Some(&tests) {
                        Arc::clone(slot)
                    } else {
                        changes.extend(version_change(&current, &version, wanted.ends.as_ref()));
                        slot.succeeded_by(version)
                    }
                }
            };
            if let Some(old) = now.slots.get(name)
                && let Some(reason) = self.rollout_ends(old, &slot, &wanted).await
            {
                changes.extend(self.rollout_change(name, reason));
            }
            slots.insert(name.clone(), slot);
            configured.insert(name.clone(), tests);
            wanted_versions.push(wanted);
        }
        if !errors.is_empty() {
            return Err(PolicyErrors(errors));
        }
        for name in now.slots.keys().filter(|name| !slots.contains_key(*name)) {
            changes.extend(self.rollout_change(name, NO_SUCH_POLICY.to_owned()));
        }
        let chains = config
            .listeners
            .iter()
            .map(|listener| {
                let slots = listener.chain.iter().filter_map(|name| slots.get(name));
                (listener.name.clone(), Chain::new(slots.cloned()))
            })
            .collect();
        Ok(PreparedSet {
            set: ActiveSet { slots, chains },
            configured,
            changes,
            wanted: wanted_versions,
            swapping,
        })
    }

    /// Loads every policy of a configuration, as many at once as there are processors. The results are
    /// in the order of the configuration.
    async fn load_all(
        &self,
        config: &Config,
        now: &ActiveSet,
        progress: &(dyn Fn(String) + Sync),
    ) -> Vec<Result<(Version, Wanted), PolicyError>> {
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        let under_way = parking_lot::Mutex::new(Vec::new());
        let loaded = AtomicUsize::new(0);
        let tell = || {
            let (loaded, all) = (loaded.load(Ordering::Relaxed), config.policies.len());
            let names = under_way.lock().join(", ");
            progress(format!(
                "loading its policies: {loaded} of {all} loaded, now {names}"
            ));
        };
        let loads = config.policies.iter().map(|policy| {
            let (under_way, loaded, tell) = (&under_way, &loaded, &tell);
            let at = match now.slots.contains_key(&policy.name) {
                true => WantedAt::Reload,
                false => WantedAt::Start,
            };
            async move {
                under_way.lock().push(policy.name.as_str());
                tell();
                let found = self.wanted(config, policy, at).await;
                under_way.lock().retain(|name| *name != policy.name);
                loaded.fetch_add(1, Ordering::Relaxed);
                tell();
                found
            }
        });
        stream::iter(loads).buffered(at_once).collect().await
    }

    /// Activates the prepared policies, all at once. A history that cannot be written keeps no mail
    /// waiting: the log tells of it.
    pub async fn activate_all(&self, prepared: PreparedSet) {
        let PreparedSet {
            set,
            configured,
            wanted,
            mut swapping,
            ..
        } = prepared;
        self.note_wanted(wanted).await;
        *swapping = configured;
        self.refused.write().clear();
        let set = Arc::new(set);
        let former = self.active.swap(Arc::clone(&set));
        for (policy, slot) in &set.slots {
            let new = slot.current();
            match former.slots.get(policy).map(|slot| slot.current()) {
                Some(old) if Arc::ptr_eq(&old, &new) => {}
                Some(old) => {
                    let (old, new) = (old.digest(), new.digest());
                    tracing::info!(policy, old, new, "policy swapped");
                }
                None => {
                    rollouts::show_zero(policy);
                    tracing::debug!(policy, digest = new.digest(), "policy activated");
                }
            }
        }
        self.resume_rollouts().await;
        for policy in former.slots.keys() {
            if !set.slots.contains_key(policy) {
                for gauge in [
                    "gatepost_policy_breaker_open",
                    "gatepost_policy_module_refused",
                ] {
                    metrics::gauge!(gauge, "policy" => policy.clone()).set(0.0);
                }
            }
        }
    }

    /// Returns the chain of a listener; an empty one if there is no such listener.
    pub fn chain(&self, listener: &str) -> Chain {
        let active = self.active.load();
        active.chains.get(listener).cloned().unwrap_or_default()
    }

    /// Returns the slot of every policy, ordered by name.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.active.load().slots.values().cloned().collect()
    }

    /// Returns the reason why the module in the watched folder is not active for a policy; `None`
    /// if it is, or if no folder is watched.
    pub fn refused(&self, policy: &str) -> Option<String> {
        self.refused.read().get(policy).cloned()
    }

    fn slot(&self, policy: &str) -> Result<Arc<Slot>, PolicyError> {
        let active = self.active.load();
        let slot = active.slots.get(policy).cloned();
        slot.ok_or_else(|| PolicyError {
            policy: policy.to_owned(),
            reason: Box::new(PolicyFault::Unknown {
                known: active.slots.keys().cloned().collect(),
            }),
        })
    }
}

fn fault(policy: &str, reason: PolicyFault) -> PolicyError {
    PolicyError {
        policy: policy.to_owned(),
        reason: Box::new(reason),
    }
}

/// Returns the change that an operator is told of when a version replaces another.
fn version_change(old: &Version, new: &Version, ends: Option<&ManualEnd>) -> Option<Change> {
    let short = |version: &Version| Some(short(version.digest()).into());
    // If only limits or tests differ, their own keys are reported.
    (old.digest() != new.digest()).then(|| Change {
        key: format!("policy.{} (version)", new.name()),
        old: short(old),
        new: short(new),
        note: ends.map(|end| {
            format!(
                "the version that was activated by hand ends: {}",
                end.reason
            )
        }),
    })
}

/// Returns true if two versions behave the same: the digest covers module and settings.
fn is_equivalent(a: &Version, b: &Version) -> bool {
    let (x, y) = (a.definition(), b.definition());
    a.digest() == b.digest() && (x.on_error, x.grants, x.limits) == (y.on_error, y.grants, y.limits)
}

/// Returns the module that the configuration names for a policy.
///
/// # Errors
/// The file cannot be read, or there is no such built-in policy.
pub async fn module(policy: &Policy) -> Result<Bytes, PolicyFault> {
    if let Some(path) = &policy.file {
        let (file, limit) = (path.clone(), policy.limits().module_bytes);
        let read = tokio::task::spawn_blocking(move || read_module(&file, limit));
        let read = read.await.map_err(io::Error::other);
        let read = read.map_err(ModuleFileError::from).flatten();
        return read.map(Bytes::from).map_err(|source| PolicyFault::Module {
            path: path.clone(),
            source: Arc::new(source),
        });
    }
    let name = policy.builtin.as_ref().unwrap_or(&policy.name);
    builtin::module(name)
        .map(Bytes::from_static)
        .ok_or_else(|| PolicyFault::Unknown {
            known: builtin::NAMES.map(str::to_owned).to_vec(),
        })
}

async fn definition(config: &Config, policy: &Policy) -> Result<Definition, PolicyFault> {
    let mut self_tests = Vec::new();
    for test in &policy.self_tests {
        let message =
            (eml::read_configured(&test.file).await).map_err(|source| PolicyFault::Unreadable {
                path: test.file.clone(),
                source,
            })?;
        let owner = match test.direction {
            Direction::Inbound => test.rcpt_to.first(),
            Direction::Submission => test.mail_from.address(),
        };
        let transaction = Transaction {
            id: TransactionId::new(),
            time: Millis::now(),
            session: Session {
                listener: "self-test".to_owned(),
                flow: test.direction.flow(),
                transport: Transport::Smtp,
                client: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
                helo: Some("localhost".to_owned()),
                tls: None,
                user: None,
            },
            account: owner
                .and_then(|address| config.account_of_domain(address.domain()))
                .map(|account| account.id.clone()),
            reverse_path: test.mail_from.clone(),
            recipients: test.rcpt_to.clone(),
        };
        self_tests.push(SelfTest {
            name: test.file.display().to_string(),
            transaction,
            message,
            expect: test.expect.clone(),
        });
    }
    Ok(Definition {
        settings: policy.settings.clone(),
        on_error: policy.on_error,
        grants: policy.grants(),
        limits: policy.limits(),
        self_tests,
        ..Definition::new(&policy.name)
    })
}
