//! The policies in use: loaded from what the configuration names, each in a slot of its own, and
//! the listeners' chains made of these slots.
//!
//! A swap puts a new version into its slot, so that every chain it is in follows at once. Two
//! things swap: [`Policies::activate`] with a module handed over by an operator or found in the
//! [watched folder](crate::folder), and [`Policies::rollback`]. A reload puts another set of slots
//! in the place of this one, all at once, once every policy of it has been loaded
//! ([`Policies::prepare`]). What was activated by hand is not written anywhere: the configuration
//! stays the truth, and a restart or a reload returns to it.

#![forbid(unsafe_code)]

pub mod eml;
pub mod folder;
pub mod loading;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use arc_swap::ArcSwap;
use bytes::Bytes;
use gatepost_message::{Millis, TransactionId};
use gatepost_model::{Session, Transaction};
use gatepost_observability::{PolicyState, PolicyStates};
use gatepost_policy::{
    Chain, Definition, Engine, LoadError, ModuleFileError, NothingToRollBackTo, SelfTest, Slot,
    Version, read_module,
};
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Mutex, OwnedMutexGuard};

use gatepost_builtin as builtin;
use gatepost_config::{self as config, Change, Config, Direction, Policy};

/// All policies of a relay.
#[derive(Debug)]
pub struct Policies {
    engine: Arc<Engine>,
    in_use: ArcSwap<InUse>,
    /// Held while versions are loaded and put in use, so that this happens one after the other
    /// and each swap names the version that it really replaced.
    swapping: Arc<Mutex<Configured>>,
    /// Why what lies in the watched folder is not in use, by name of the policy.
    refused: RwLock<BTreeMap<String, String>>,
}

#[derive(Debug, Default)]
struct InUse {
    slots: BTreeMap<String, Arc<Slot>>,
    chains: BTreeMap<String, Chain>,
}

/// What the configuration has said of each policy, by name: what is in use besides was put there
/// by hand.
type Configured = BTreeMap<String, Origin>;

#[derive(Debug, Clone, PartialEq)]
struct Origin {
    /// Of the version that was loaded from the configuration.
    digest: String,
    self_tests: Vec<(config::SelfTest, Option<String>)>,
}

/// Policies that have been loaded as a configuration says and wait to be put in use. Until they
/// are, or this is dropped, nothing else is swapped.
#[derive(Debug)]
pub struct Prepared {
    set: InUse,
    configured: Configured,
    /// What putting them in use changes.
    pub changes: Vec<Change>,
    swapping: OwnedMutexGuard<Configured>,
}

impl Prepared {
    /// The chain of a listener.
    pub fn chain(&self, listener: &str) -> Chain {
        self.set.chains.get(listener).cloned().unwrap_or_default()
    }
}

/// A swap that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// Name of the policy.
    pub policy: String,
    /// Digest of the version that was in use.
    pub old: String,
    /// Digest of the version in use now.
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

/// A policy that cannot be used, and why.
#[derive(Debug, Error, Diagnostic)]
#[error("policy \"{policy}\": {reason}")]
pub struct PolicyError {
    /// Name of the policy.
    pub policy: String,
    /// What is wrong.
    pub reason: PolicyFault,
}

/// What is wrong with a policy.
#[derive(Debug, Error)]
pub enum PolicyFault {
    /// The message of a self-test cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Its module cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Module {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: Arc<ModuleFileError>,
    },
    /// The engine refused it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The configuration has no such policy.
    #[error("the configuration has no policy of this name; it has {}", known.join(", "))]
    Unknown {
        /// Those that it has.
        known: Vec<String>,
    },
    /// There is no earlier version.
    #[error(transparent)]
    NoEarlier(#[from] NothingToRollBackTo),
}

/// Every policy that cannot be used.
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
            in_use: ArcSwap::default(),
            swapping: Arc::default(),
            refused: RwLock::default(),
        };
        let prepared = policies.prepare(config).await?;
        policies.put_in_use(prepared);
        Ok(policies)
    }

    /// Loads every policy as the configuration says. Versions in use that are what it says stay in
    /// their slots.
    ///
    /// # Errors
    /// All policies that could not be loaded, each with the reason.
    pub async fn prepare(&self, config: &Config) -> Result<Prepared, PolicyErrors> {
        let swapping = Arc::clone(&self.swapping).lock_owned().await;
        let now = self.in_use.load_full();
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
            let origin = Origin {
                digest: version.digest().to_owned(),
                self_tests: tests.collect(),
            };
            let former = swapping.get(name);
            let slot = match now.slots.get(name) {
                None => Slot::new(version),
                Some(slot) => {
                    let current = slot.current();
                    let tests = former.map(|former| &former.self_tests);
                    if same(&version, &current) && tests == Some(&origin.self_tests) {
                        Arc::clone(slot)
                    } else {
                        let by_hand = former.is_some_and(|o| o.digest != current.digest());
                        changes.extend(swapped(&current, &version, by_hand));
                        slot.succeeded_by(version)
                    }
                }
            };
            slots.insert(name.clone(), slot);
            configured.insert(name.clone(), origin);
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
        Ok(Prepared {
            set: InUse { slots, chains },
            configured,
            changes,
            swapping,
        })
    }

    /// Puts them in use, all at once.
    pub fn put_in_use(&self, prepared: Prepared) {
        let Prepared {
            set,
            configured,
            mut swapping,
            ..
        } = prepared;
        *swapping = configured;
        write(&self.refused).clear();
        let set = Arc::new(set);
        let former = self.in_use.swap(Arc::clone(&set));
        for (policy, slot) in &set.slots {
            let new = slot.current();
            match former.slots.get(policy).map(|slot| slot.current()) {
                Some(old) if Arc::ptr_eq(&old, &new) => {}
                Some(old) => {
                    let (old, new) = (old.digest(), new.digest());
                    tracing::info!(policy, old, new, "policy swapped");
                }
                None => tracing::debug!(policy, digest = new.digest(), "policy in use"),
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

    /// The chain of a listener; one without policies if there is no such listener.
    pub fn chain(&self, listener: &str) -> Chain {
        let in_use = self.in_use.load();
        in_use.chains.get(listener).cloned().unwrap_or_default()
    }

    /// The slot of every policy, by name.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.in_use.load().slots.values().cloned().collect()
    }

    /// Loads a module with the definition that the policy has now, and puts it in use.
    ///
    /// # Errors
    /// There is no such policy, or the module cannot be loaded; what was in use stays in use.
    pub async fn activate(&self, policy: &str, module: Bytes) -> Result<Swap, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let slot = self.slot(policy)?;
        let definition = slot.current().definition().clone();
        let version = (self.engine.load(definition, module).await)
            .map_err(|error| fault(policy, error.into()))?;
        Ok(swap(&slot, version))
    }

    /// Puts in use what has come to lie in the watched folder as the module of a policy. If it
    /// cannot be read or loaded, what was in use stays in use, and the log and
    /// [`Policies::refused`] say why.
    pub async fn take(&self, policy: &str, module: Result<Bytes, PolicyFault>) {
        let activated = match module {
            Ok(module) => self.activate(policy, module).await,
            Err(reason) => Err(fault(policy, reason)),
        };
        match activated {
            Ok(Swap { new, .. }) => {
                write(&self.refused).remove(policy);
                // Like one that a reload has loaded, it is the configuration's.
                if let Some(origin) = self.swapping.lock().await.get_mut(policy) {
                    origin.digest = new;
                }
            }
            Err(error) => {
                tracing::error!(policy, %error, "the new module is not put in use, the version in use stays");
                write(&self.refused).insert(policy.to_owned(), error.reason.to_string());
            }
        }
    }

    /// Why what lies in the watched folder as the module of a policy is not in use; `None` if it
    /// is, or if none is watched.
    pub fn refused(&self, policy: &str) -> Option<String> {
        let refused = self.refused.read();
        let refused = refused.unwrap_or_else(PoisonError::into_inner);
        refused.get(policy).cloned()
    }

    /// Puts the version before in use again.
    ///
    /// # Errors
    /// There is no such policy, or no version before.
    pub async fn rollback(&self, policy: &str) -> Result<Swap, PolicyError> {
        let _swapping = self.swapping.lock().await;
        let slot = self.slot(policy)?;
        let old = slot.current().digest().to_owned();
        let version = (slot.rollback()).map_err(|error| fault(policy, error.into()))?;
        Ok(told(Swap {
            policy: policy.to_owned(),
            old,
            new: version.digest().to_owned(),
        }))
    }

    fn slot(&self, policy: &str) -> Result<Arc<Slot>, PolicyError> {
        let in_use = self.in_use.load();
        let slot = in_use.slots.get(policy).cloned();
        slot.ok_or_else(|| PolicyError {
            policy: policy.to_owned(),
            reason: PolicyFault::Unknown {
                known: in_use.slots.keys().cloned().collect(),
            },
        })
    }
}

/// Nothing in there panics half way.
fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
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
    told(Swap {
        policy: slot.name().to_owned(),
        old,
        new,
    })
}

fn told(swap: Swap) -> Swap {
    let Swap { policy, old, new } = &swap;
    tracing::info!(policy, old, new, "policy swapped");
    swap
}

/// What an operator is told of a version that another takes the place of.
fn swapped(old: &Version, new: &Version, by_hand: bool) -> Option<Change> {
    let short = |version: &Version| {
        let digest = version.digest();
        Some(digest.get(..12).unwrap_or(digest).into())
    };
    // Where only limits or tests differ, their own keys say so.
    (old.digest() != new.digest()).then(|| Change {
        key: format!("policy.{} (version)", new.name()),
        old: short(old),
        new: short(new),
        note: by_hand.then(|| {
            "the version in use was put there by hand and is not the configuration's".to_owned()
        }),
    })
}

/// Whether two versions behave the same: the digest covers module and settings.
fn same(a: &Version, b: &Version) -> bool {
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

async fn module(policy: &Policy) -> Result<Bytes, PolicyFault> {
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
                client: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
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
