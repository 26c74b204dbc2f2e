//! The story of a load.
//!
//! The octets become a component ([`crate::component`]), the settings are checked against the
//! component's own schema, the component is configured and frozen ([`crate::snapshot`]), every
//! hook is called once on a harmless transaction, and the self-tests are run ([`crate::probe`]).
//! Only then is there a [`Version`], and only a version can be activated.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatepost_message::Millis;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use sha2::{Digest, Sha256};

use crate::breaker::Breaker;
use crate::component::{self, ModuleKind};
use crate::contract::{self, VERSION};
use crate::definition::{Definition, Limits, OnError};
use crate::directory::NoDirectory;
use crate::engine::{Engine, MEMORY_RESERVATION};
use crate::error::LoadError;
use crate::host::View;
use crate::identity::NoIdentity;
use crate::memory::{NoMemory, Scope};
use crate::snapshot::Instrumented;
use crate::version::{Compiled, Hook, Inspection, Loaded, Version, settings_function};
use crate::{Duties, call, probe};

impl Engine {
    /// Loads a module for a definition: see the module's own page for the steps.
    ///
    /// Compiling takes a good part of a second for a large module; it runs on a blocking thread,
    /// off the sessions' own.
    ///
    /// # Errors
    /// Whatever is wrong with the module or its settings, with what to do about it.
    pub async fn load(
        self: &Arc<Self>,
        definition: Definition,
        module: Bytes,
    ) -> Result<Version, LoadError> {
        let engine = self.clone();
        let handle = tokio::runtime::Handle::current();
        let task =
            tokio::task::spawn_blocking(move || handle.block_on(load(engine, definition, &module)));
        match task.await {
            Ok(result) => result,
            Err(error) => Err(LoadError::Fault {
                step: "loading".into(),
                detail: error.to_string(),
            }),
        }
    }

    /// What a module says of itself.
    ///
    /// # Errors
    /// As [`Engine::load`], but for its settings, which are not asked for.
    pub async fn inspect(self: &Arc<Self>, module: Bytes) -> Result<Inspection, LoadError> {
        let engine = self.clone();
        let handle = tokio::runtime::Handle::current();
        let task = tokio::task::spawn_blocking(move || {
            let definition = Definition::new("inspected");
            let (component, kind) = component::component(&module, usize::MAX)?;
            let compiled = Compiled::new(&engine, &component)?;
            handle.block_on(inspect(&engine, &definition, &compiled, &module, kind))
        });
        match task.await {
            Ok(result) => result,
            Err(error) => Err(LoadError::Fault {
                step: "inspecting".into(),
                detail: error.to_string(),
            }),
        }
    }
}

async fn load(
    engine: Arc<Engine>,
    definition: Definition,
    module: &[u8],
) -> Result<Version, LoadError> {
    if definition.limits.memory > MEMORY_RESERVATION {
        let problem = format!("memory: at most {} MiB", MEMORY_RESERVATION >> 20);
        return Err(LoadError::Settings {
            problems: vec![problem],
        });
    }
    let (component, kind) = component::component(module, definition.limits.module_bytes)?;
    let digest = digest(&definition, module);
    let cached = engine.cache.as_ref().and_then(|cache| {
        let component = cache.load(&digest, &engine.wasm)?;
        Compiled::link(&engine, component).ok()
    });
    let (compiled, inspection) = match cached {
        Some(compiled) => {
            let inspection = inspect(&engine, &definition, &compiled, module, kind).await?;
            (compiled, inspection)
        }
        None => {
            let bare = Instrumented::new(&engine, &component)?;
            let inspection = inspect(&engine, &definition, bare.compiled(), module, kind).await?;
            check_settings(&inspection.schema, &definition.settings)?;
            let snapshot = bare.configured(&engine, &definition).await?;
            let compiled = Compiled::new(&engine, &snapshot)?;
            if let Some(cache) = &engine.cache {
                cache.store(&digest, &compiled.component);
            }
            (compiled, inspection)
        }
    };
    check_on_error(&definition, inspection.duties)?;
    let loaded = Loaded::new(compiled);
    let version = Version {
        engine,
        loaded,
        definition,
        inspection,
        digest,
        loaded_at: Millis::now(),
        breakers: Hook::ALL.map(|_| Breaker::new()),
    };
    probe::hooks(&version).await?;
    probe::self_tests(&version).await?;
    Ok(version)
}

/// Names module and settings together: another setting is another version.
fn digest(definition: &Definition, module: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update((module.len() as u64).to_be_bytes());
    hash.update(module);
    hash.update(definition.settings.to_string());
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Loading is not a call on a message: it may take longer.
pub(crate) fn limits(definition: &Definition) -> Limits {
    Limits {
        deadline: Duration::from_secs(10),
        answer_bytes: 4 << 20,
        ..definition.limits
    }
}

pub(crate) fn view(definition: &Definition) -> View {
    View {
        message: None,
        id: None,
        time: Millis::now(),
        scope: Scope {
            policy: definition.name.clone(),
            account: None,
        },
        memory: Arc::new(NoMemory),
        directory: Arc::new(NoDirectory),
        identity: Arc::new(NoIdentity),
        user: None,
        facts: None,
        duties: Duties::default(),
        recipients: Arc::new([]),
    }
}

/// Asks a component what it is.
async fn inspect(
    engine: &Engine,
    definition: &Definition,
    compiled: &Compiled,
    module: &[u8],
    kind: ModuleKind,
) -> Result<Inspection, LoadError> {
    wasmtime::component::flags! {
        WitDuties {
            #[component(name = "authenticates")]
            const AUTHENTICATES;
            #[component(name = "suppresses")]
            const SUPPRESSES;
        }
    }
    let fault = |error: wasmtime::Error| LoadError::Fault {
        step: "asking for its settings' schema".into(),
        detail: call::fault(&error).to_string(),
    };
    let mismatch = |error: wasmtime::Error| LoadError::Mismatch {
        version: VERSION,
        detail: format!("{error:#}"),
    };
    let component = &compiled.component;
    let schema = settings_function(component, "schema")?;
    let answers_for = settings_function(component, "answers-for")?;
    settings_function(component, "configure")?;
    let hooks: Vec<Hook> = Hook::ALL
        .into_iter()
        .filter(|hook| hook.export_of(component).is_some())
        .collect();
    if hooks.is_empty() {
        return Err(LoadError::MissingExport("hook".into()));
    }
    let _clock = engine.run_clock();
    let mut store = call::store(engine, limits(definition), view(definition));
    let instance = compiled
        .pre
        .instantiate_async(&mut store)
        .await
        .map_err(fault)?;
    let schema = instance
        .get_typed_func::<(), (String,)>(&mut store, schema)
        .map_err(mismatch)?;
    let (schema,) = schema.call_async(&mut store, ()).await.map_err(fault)?;
    let duties = instance
        .get_typed_func::<(), (WitDuties,)>(&mut store, answers_for)
        .map_err(mismatch)?;
    let (duties,) = duties.call_async(&mut store, ()).await.map_err(fault)?;
    Ok(Inspection {
        digest: hex(&Sha256::digest(module)),
        size: module.len(),
        kind,
        contract: VERSION,
        hooks,
        imports: contract::imports(component),
        duties: Duties {
            authenticates: duties & WitDuties::AUTHENTICATES != WitDuties::default(),
            suppresses: duties & WitDuties::SUPPRESSES != WitDuties::default(),
        },
        schema,
    })
}

/// Checks settings against the module's own schema, with the path of each problem.
fn check_settings(schema: &str, settings: &serde_json::Value) -> Result<(), LoadError> {
    let broken = |error: String| LoadError::Fault {
        step: "reading its settings' schema".into(),
        detail: error,
    };
    let schema = serde_json::from_str(schema).map_err(|error| broken(error.to_string()))?;
    let validator =
        jsonschema::validator_for(&schema).map_err(|error| broken(error.to_string()))?;
    let problems: Vec<String> = validator
        .iter_errors(settings)
        .map(|error| problem(&error, settings))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(LoadError::Settings { problems })
    }
}

/// Where in the settings something is wrong, and what.
fn problem(error: &ValidationError<'_>, settings: &serde_json::Value) -> String {
    let path = error.instance_path().to_string();
    let place = if path.is_empty() { "/" } else { &path };
    match (error.kind(), settings.pointer(&path)) {
        // Where nothing is expected, the error would name the value and not the key.
        (ValidationErrorKind::FalseSchema, Some(serde_json::Value::Object(object))) => {
            let keys: Vec<_> = object.keys().map(|key| format!("'{key}'")).collect();
            format!(
                "{place}: nothing is to be set here ({} was)",
                keys.join(", ")
            )
        }
        _ => format!("{place}: {error}"),
    }
}

fn check_on_error(definition: &Definition, duties: Duties) -> Result<(), LoadError> {
    let duty = match definition.on_error {
        OnError::Tempfail => return Ok(()),
        OnError::Skip if duties.authenticates => "authenticates",
        OnError::Skip if duties.suppresses => "suppresses",
        OnError::Skip => return Ok(()),
    };
    Err(LoadError::SkipFailsOpen { duty })
}
