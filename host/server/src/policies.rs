//! The policies in use: loaded from what the configuration names, each in a slot of its own, and
//! the listeners' chains made of these slots.
//!
//! A swap puts a new version into its slot, so that every chain it is in follows at once. Three
//! things swap: [`Policies::activate`] with a module handed over by an operator,
//! [`Policies::rollback`], and [`Policies::reload`], which goes back to what the configuration
//! says. What was activated by hand is not written anywhere: the configuration stays the truth,
//! and a restart or a reload returns to it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Millis, TransactionId};
use gatepost_policy::{
    Chain, Definition, Engine, LoadError, NothingToRollBackTo, SelfTest, Session, Slot,
    Transaction, Version,
};
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::config::{Config, Direction, Policy};
use crate::{builtin, eml};

/// All policies of a relay.
#[derive(Debug)]
pub struct Policies {
    engine: Arc<Engine>,
    slots: BTreeMap<String, Arc<Slot>>,
    chains: BTreeMap<String, Chain>,
    /// Held while a version is loaded and swapped in, so that swaps happen one after the other
    /// and each names the version that it really replaced.
    swapping: Mutex<()>,
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
    /// A file of it cannot be read: module or message of a self-test.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
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
        let mut slots = BTreeMap::new();
        let mut errors = Vec::new();
        for policy in &config.policies {
            match load(&engine, config, policy).await {
                Ok(version) => {
                    slots.insert(policy.name.clone(), Slot::new(version));
                }
                Err(error) => errors.push(error),
            }
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
        Ok(Self {
            engine,
            slots,
            chains,
            swapping: Mutex::new(()),
        })
    }

    /// The chain of a listener; one without policies if there is no such listener.
    pub fn chain(&self, listener: &str) -> Chain {
        self.chains.get(listener).cloned().unwrap_or_default()
    }

    /// The slot of every policy, by name.
    pub fn slots(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.slots.values()
    }

    /// Loads a module with the definition that the policy has now, and puts it in use.
    ///
    /// # Errors
    /// There is no such policy, or the module cannot be loaded; what was in use stays in use.
    pub async fn activate(&self, policy: &str, module: Bytes) -> Result<Swap, PolicyError> {
        let slot = self.slot(policy)?;
        let _swapping = self.swapping.lock().await;
        let definition = slot.current().definition().clone();
        let version = (self.engine.load(definition, module).await)
            .map_err(|error| fault(policy, error.into()))?;
        Ok(swap(slot, version))
    }

    /// Puts the version before in use again.
    ///
    /// # Errors
    /// There is no such policy, or no version before.
    pub async fn rollback(&self, policy: &str) -> Result<Swap, PolicyError> {
        let slot = self.slot(policy)?;
        let _swapping = self.swapping.lock().await;
        let old = slot.current().digest().to_owned();
        let version = (slot.rollback()).map_err(|error| fault(policy, error.into()))?;
        Ok(told(Swap {
            policy: policy.to_owned(),
            old,
            new: version.digest().to_owned(),
        }))
    }

    /// Puts in use what the configuration, as read again, says of the policies that there are:
    /// modules, settings and limits. What has not changed is left alone; a policy that cannot be
    /// loaded keeps its version. Listeners keep their chains.
    pub async fn reload(&self, config: &Config) -> Vec<Result<Swap, PolicyError>> {
        let _swapping = self.swapping.lock().await;
        let mut results = Vec::new();
        for slot in self.slots() {
            let Some(policy) = config.policy(slot.name()) else {
                continue;
            };
            match load(&self.engine, config, policy).await {
                Ok(version) if same(&version, &slot.current()) => {}
                Ok(version) => results.push(Ok(swap(slot, version))),
                Err(error) => {
                    tracing::error!(policy = policy.name, %error, "policy not reloaded, its version stays in use");
                    results.push(Err(error));
                }
            }
        }
        results
    }

    fn slot(&self, policy: &str) -> Result<&Arc<Slot>, PolicyError> {
        self.slots.get(policy).ok_or_else(|| PolicyError {
            policy: policy.to_owned(),
            reason: PolicyFault::Unknown {
                known: self.slots.keys().cloned().collect(),
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
        return tokio::fs::read(path)
            .await
            .map(Bytes::from)
            .map_err(|source| PolicyFault::Unreadable {
                path: path.clone(),
                source,
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
        let message = (eml::read(&test.file).await).map_err(|source| PolicyFault::Unreadable {
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
