//! The load of a version, step by step.
//!
//! A process of its own reads, checks and compiles the module ([`crate::prepare`],
//! [`crate::child`]), unless the cache has the code of this module with these settings. The code
//! becomes a component. Then every hook is called once on a harmless transaction and the self-tests
//! are run ([`crate::probe`]), in the sandbox of any other call. Only then is there a [`Version`],
//! and only a version can be activated.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use gatepost_message::Millis;
use sha2::{Digest, Sha256};

use crate::breaker::Breaker;
use crate::child::{self, Loading};
use crate::component;
use crate::definition::{Definition, OnError};
use crate::engine::{Engine, LARGEST_MEMORY};
use crate::error::LoadError;
use crate::prepare::{self, Job, Prepared, hex};
use crate::settings::VALIDATION;
use crate::version::{Compiled, Hook, Inspection, Loaded, Version};
use crate::{Duties, probe};

impl Engine {
    /// Loads a module for a definition.
    ///
    /// Compiling a large module takes a good part of a second, off the sessions' own threads. If
    /// the future is dropped, a loading process ends at once.
    ///
    /// # Errors
    /// If the module or its settings are refused; the error says what to do about it.
    pub async fn load(
        self: &Arc<Self>,
        definition: Definition,
        module: Bytes,
    ) -> Result<Version, LoadError> {
        let loaded = load(self.clone(), definition, module).await;
        loaded.map_err(LoadError::bounded)
    }

    /// Describes a module without its settings.
    ///
    /// # Errors
    /// As [`Engine::load`], but for those about settings.
    pub async fn inspect(self: &Arc<Self>, module: Bytes) -> Result<Inspection, LoadError> {
        let definition = Definition::new("inspected");
        let inspected = async {
            component::check_file(&module, definition.limits.module_bytes)?;
            let job = Job {
                settings: None,
                ..self.job(&definition)
            };
            let prepared = self.prepare(job, module).await?;
            Ok(prepared.inspection)
        };
        inspected.await.map_err(LoadError::bounded)
    }

    fn job(&self, definition: &Definition) -> Job {
        Job {
            policy: definition.name.clone(),
            settings: Some(definition.settings.to_string()),
            limits: definition.limits,
            code: self.loading.limits().code,
            validation: match self.loading {
                Loading::InProcess => None,
                Loading::InChild(_) => Some(VALIDATION),
            },
        }
    }

    async fn prepare(self: &Arc<Self>, job: Job, module: Bytes) -> Result<Prepared, LoadError> {
        match &self.loading {
            Loading::InChild(program) => child::load_in_child(program, &job, &module).await,
            Loading::InProcess => {
                let engine = self.clone();
                let handle = tokio::runtime::Handle::current();
                blocking(move || handle.block_on(prepare::prepare(&engine, &job, &module, &|_| {})))
                    .await?
            }
        }
    }

    /// Returns what an earlier load stored of this very version.
    async fn cached(self: &Arc<Self>, digest: &str) -> Result<Option<Prepared>, LoadError> {
        if self.cache.is_none() {
            return Ok(None);
        }
        let (engine, digest) = (self.clone(), digest.to_owned());
        blocking(move || engine.cache.as_ref()?.load(&digest)).await
    }
}

/// Does work on a thread for blocking work: it takes longer than a session should wait.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, LoadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| LoadError::Fault {
        step: "loading".into(),
        detail: error.to_string(),
    })
}

async fn load(
    engine: Arc<Engine>,
    definition: Definition,
    module: Bytes,
) -> Result<Version, LoadError> {
    if definition.limits.memory > LARGEST_MEMORY {
        let problem = format!("memory: at most {} MiB", LARGEST_MEMORY >> 20);
        return Err(LoadError::Settings {
            problems: vec![problem],
        });
    }
    component::check_file(&module, definition.limits.module_bytes)?;
    let begun = Instant::now();
    let digest = version_digest(&definition, &module);
    let cached = engine.cached(&digest).await?;
    let fresh = cached.is_none();
    let prepared = match cached {
        Some(prepared) => prepared,
        None => {
            tracing::info!(policy = definition.name, "loading a policy: compiling");
            engine.prepare(engine.job(&definition), module).await?
        }
    };
    let linking = (engine.clone(), digest.clone());
    let (compiled, inspection) = blocking(move || {
        let (engine, digest) = linking;
        let Prepared { inspection, code } = prepared;
        let compiled = Compiled::from_code(&engine, &code)?;
        if fresh && let Some(cache) = &engine.cache {
            cache.store(&digest, &inspection, &code);
        }
        Ok((compiled, inspection))
    })
    .await??;
    check_on_error(&definition, inspection.duties)?;
    let version = Version {
        engine,
        loaded: Loaded::new(compiled),
        definition,
        inspection,
        digest,
        loaded_at: Millis::now(),
        breakers: Hook::ALL.map(|_| Breaker::new()),
    };
    probe::hooks(&version).await?;
    probe::self_tests(&version).await?;
    let (policy, millis) = (version.name(), begun.elapsed().as_millis());
    match fresh {
        true => tracing::info!(policy, millis, "policy compiled and loaded"),
        false => tracing::debug!(policy, millis, "policy loaded from the cache"),
    }
    Ok(version)
}

/// Returns the digest of module and settings, in hexadecimal: other settings make another version.
pub fn version_digest(definition: &Definition, module: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update((module.len() as u64).to_be_bytes());
    hash.update(module);
    hash.update(definition.settings.to_string());
    hex(&hash.finalize())
}

fn check_on_error(definition: &Definition, duties: Duties) -> Result<(), LoadError> {
    let duty = match definition.on_error {
        OnError::Tempfail => return Ok(()),
        OnError::Skip if duties.authenticates => "authenticates",
        OnError::Skip if duties.suppresses => "suppresses",
        OnError::Skip if duties.routes => "routes",
        OnError::Skip => return Ok(()),
    };
    Err(LoadError::SkipFailsOpen { duty })
}
