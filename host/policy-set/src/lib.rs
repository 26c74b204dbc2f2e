//! The active policies: loaded as the configuration names them, each in a slot of its own, and the
//! listeners' chains made of these slots.
//!
//! A swap puts a new version into its slot, so that every chain with this slot follows at once. Two
//! operations swap: [`Policies::activate`], with a module handed over by an operator or found in
//! the [watched folder](crate::folder), and [`Policies::rollback`]. A reload replaces the whole set
//! of slots at once, after every policy of the new set has been loaded ([`Policies::prepare`]).
//! Versions that were activated by hand are not written anywhere: the configuration stays the
//! truth, and a restart or a reload returns to it.

#![forbid(unsafe_code)]

pub mod eml;
pub mod folder;
pub mod loading;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Session, Transaction, Transport};
use gatepost_observability::{PolicyState, PolicyStates};
use gatepost_policy::{
    Chain, Definition, Engine, LoadError, ModuleFileError, NothingToRollBackTo, SelfTest, Slot,
    Version, read_module,
};
use miette::Diagnostic;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Mutex, OwnedMutexGuard};

use gatepost_builtin as builtin;
use gatepost_config::{self as config, Change, Config, Direction, Policy};

/// All policies of a relay.
#[derive(Debug)]
pub struct Policies {
    engine: Arc<Engine>,
    active: ArcSwap<ActiveSet>,
    /// Held while versions are loaded and activated, so that swaps are sequential and each names
    /// the version that it really replaced.
    swapping: Arc<Mutex<Configured>>,
    /// Reason why the module in the watched folder is not active, by name of the policy.
    refused: RwLock<BTreeMap<String, String>>,
}

#[derive(Debug, Default)]
struct ActiveSet {
    slots: BTreeMap<String, Arc<Slot>>,
    chains: BTreeMap<String, Chain>,
}

/// Configured version of each policy, by name: any other active version was activated by hand.
type Configured = BTreeMap<String, ConfiguredVersion>;

#[derive(Debug, Clone, PartialEq)]
struct ConfiguredVersion {
    /// Digest of the version that was loaded from the configuration.
    digest: String,
    self_tests: Vec<(config::SelfTest, Option<String>)>,
}

/// Policies that have been loaded for a configuration and wait to be activated. Until they are, or
/// this is dropped, nothing else is swapped.
#[derive(Debug)]
pub struct PreparedSet {
    set: ActiveSet,
    configured: Configured,
    /// Changes that their activation makes.
    pub changes: Vec<Change>,
    swapping: OwnedMutexGuard<Configured>,
}

impl PreparedSet {
    /// Returns the chain of a listener.
    pub fn chain(&self, listener: &str) -> Chain {
        self.set.chains.get(listener).cloned().unwrap_or_default()
    }
}

/// A completed swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Swap {
    /// Name of the policy.
    pub policy: String,
    /// Digest of the replaced version.
    pub old: String,
    /// Digest of the active version.
    pub new: String,
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
    pub reason: PolicyFault,
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
    #[error(transparent)]
    NoEarlier(#[from] NothingToRollBackTo),
}

/// All policies that cannot be used.
#[derive(Debug, Error, Diagnostic)]
#[error("{} cannot be used", count(.0))]
pub struct PolicyErrors(#[related] pub Vec<PolicyError>);

fn count(errors: &[PolicyError]) -> String {
    match errors.len() {
        1 => "one policy".to_owned(),
        n => format!("{n} policies"),
    }
}

impl Policies {
    /// Loads every policy that the configuration names.
    ///
    /// # Errors
    /// All policies that could not be loaded, each with the reason.
    pub async fn load(engine: Arc<Engine>, config: &Config) -> Result<Self, PolicyErrors> {
        let policies = Self {
            engine,
            active: ArcSwap::default(),
            swapping: Arc::default(),
            refused: RwLock::default(),
        };
        let prepared = policies.prepare(config).await?;
        policies.activate_all(prepared);
        Ok(policies)
    }

    /// Loads every policy as the configuration says. Active versions that already match stay in
    /// their slots.
    ///
    /// # Errors
    /// All policies that could not be loaded, each with the reason.
    pub async fn prepare(&self, config: &Config) -> Result<PreparedSet, PolicyErrors> {
        let swapping = Arc::clone(&self.swapping).lock_owned().await;
        let now = self.active.load_full();
        let mut slots = BTreeMap::new();
        let mut configured = Configured::new();
        let mut changes = Vec::new();
        let mut errors = Vec::new();
        for policy in &config.policies {
            let version = match load(&self.engine, config, policy).await {
                Ok(version) => version,
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
            let from_config = ConfiguredVersion {
                digest: version.digest().to_owned(),
                self_tests: tests.collect(),
            };
            let former = swapping.get(name);
            let slot = match now.slots.get(name) {
                None => Slot::new(version),
                Some(slot) => {
                    let current = slot.current();
                    let tests = former.map(|former| &former.self_tests);
                    if is_equivalent(&version, &current) && tests == Some(&from_config.self_tests) {
                        Arc::clone(slot)
                    } else {
                        let by_hand = former.is_some_and(|o| o.digest != current.digest());
                        changes.extend(version_change(&current, &version, by_hand));
                        slot.succeeded_by(version)
                    }
                }
            };
            slots.insert(name.clone(), slot);
            configured.insert(name.clone(), from_config);
        }
        if !errors.is_empty() {
            return Err(PolicyErrors(errors));
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
            swapping,
        })
    }

    /// Activates the prepared policies, all at once.
    pub fn activate_all(&self, prepared: PreparedSet) {
        let PreparedSet {
            set,
            configured,
            mut swapping,
            ..
        } = prepared;
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
                None => tracing::debug!(policy, digest = new.digest(), "policy activated"),
            }
        }
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

    /// Loads a module with the policy's current definition, and activates it.
    ///
    /// # Errors
    /// There is no such policy, or the module cannot be loaded; the active version stays.
    pub async fn activate(&self, policy: &str, module: Bytes) -> Result<Swap, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let slot = self.slot(policy)?;
        let definition = slot.current().definition().clone();
        let version = (self.engine.load(definition, module).await)
            .map_err(|error| fault(policy, error.into()))?;
        Ok(swap(&slot, version))
    }

    /// Activates the module that appeared in the watched folder for a policy. If it cannot be read
    /// or loaded, the active version stays, and the log and [`Policies::refused`] give the reason.
    pub async fn activate_from_folder(&self, policy: &str, module: Result<Bytes, PolicyFault>) {
        let activated = match module {
            Ok(module) => self.activate(policy, module).await,
            Err(reason) => Err(fault(policy, reason)),
        };
        match activated {
            Ok(Swap { new, .. }) => {
                self.refused.write().remove(policy);
                // Like a version that a reload has loaded, it is the configuration's.
                if let Some(from_config) = self.swapping.lock().await.get_mut(policy) {
                    from_config.digest = new;
                }
            }
            Err(error) => {
                tracing::error!(policy, %error, "the new module is not activated, the active version stays");
                self.refused
                    .write()
                    .insert(policy.to_owned(), error.reason.to_string());
            }
        }
    }

    /// Returns the reason why the module in the watched folder is not active for a policy; `None`
    /// if it is, or if no folder is watched.
    pub fn refused(&self, policy: &str) -> Option<String> {
        self.refused.read().get(policy).cloned()
    }

    /// Activates the previous version again.
    ///
    /// # Errors
    /// There is no such policy, or no previous version.
    pub async fn rollback(&self, policy: &str) -> Result<Swap, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let slot = self.slot(policy)?;
        let old = slot.current().digest().to_owned();
        let version = (slot.rollback()).map_err(|error| fault(policy, error.into()))?;
        Ok(log_swap(Swap {
            policy: policy.to_owned(),
            old,
            new: version.digest().to_owned(),
        }))
    }

    fn slot(&self, policy: &str) -> Result<Arc<Slot>, PolicyError> {
        let active = self.active.load();
        let slot = active.slots.get(policy).cloned();
        slot.ok_or_else(|| PolicyError {
            policy: policy.to_owned(),
            reason: PolicyFault::Unknown {
                known: active.slots.keys().cloned().collect(),
            },
        })
    }
}

fn fault(policy: &str, reason: PolicyFault) -> PolicyError {
    PolicyError {
        policy: policy.to_owned(),
        reason,
    }
}

fn swap(slot: &Slot, version: Version) -> Swap {
    let new = version.digest().to_owned();
    let old = slot.activate(version).digest().to_owned();
    log_swap(Swap {
        policy: slot.name().to_owned(),
        old,
        new,
    })
}

fn log_swap(swap: Swap) -> Swap {
    let Swap { policy, old, new } = &swap;
    tracing::info!(policy, old, new, "policy swapped");
    swap
}

/// Returns the change that an operator is told of when a version replaces another.
fn version_change(old: &Version, new: &Version, by_hand: bool) -> Option<Change> {
    let short = |version: &Version| {
        let digest = version.digest();
        Some(digest.get(..12).unwrap_or(digest).into())
    };
    // If only limits or tests differ, their own keys are reported.
    (old.digest() != new.digest()).then(|| Change {
        key: format!("policy.{} (version)", new.name()),
        old: short(old),
        new: short(new),
        note: by_hand.then(|| {
            "the active version was activated by hand and is not the configuration's".to_owned()
        }),
    })
}

/// Returns true if two versions behave the same: the digest covers module and settings.
fn is_equivalent(a: &Version, b: &Version) -> bool {
    let (x, y) = (a.definition(), b.definition());
    a.digest() == b.digest() && (x.on_error, x.grants, x.limits) == (y.on_error, y.grants, y.limits)
}

async fn load(
    engine: &Arc<Engine>,
    config: &Config,
    policy: &Policy,
) -> Result<Version, PolicyError> {
    let loaded = async {
        let module = module(policy).await?;
        let definition = definition(config, policy).await?;
        Ok(engine.load(definition, module).await?)
    };
    loaded.await.map_err(|reason| fault(&policy.name, reason))
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
