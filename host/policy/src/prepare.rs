//! The steps from a module's bytes to compiled code: the part of a load that works on unchecked
//! input.
//!
//! The bytes become a component ([`crate::component`]), and the component is asked for its schema.
//! The settings are checked against the schema ([`crate::settings`]). The component is configured
//! and frozen ([`crate::snapshot`]), and the frozen component is compiled. The result is the
//! module's description and its code, in whichever process this happens ([`crate::child`]).

use std::sync::Arc;
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_model::Scope;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::budget::Allowance;
use crate::cache::Code;
use crate::component::{self, ModuleKind};
use crate::contract::{self, VERSION};
use crate::definition::{Grants, Limits};
use crate::engine::Engine;
use crate::error::{LoadError, Resource};
use crate::host::{CallView, Origin};
use crate::memory::NoMemory;
use crate::snapshot::Instrumented;
use crate::version::{Compiled, Hook, Inspection, settings_function};
use crate::{Duties, call, settings};
use gatepost_contract::directory::NoDirectory;
use gatepost_contract::identity::NoIdentity;

/// Order to prepare a module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Name of the policy.
    pub(crate) policy: String,
    /// Settings as JSON; `None` if only the module's description is wanted.
    pub(crate) settings: Option<String>,
    /// Limits of one call.
    pub(crate) limits: Limits,
    /// Limit on the compiled code, in bytes.
    pub(crate) code: usize,
    /// Limit on the processor time for checking the settings, if any.
    pub(crate) validation: Option<Duration>,
}

/// Result of a [`Job`].
pub(crate) struct Prepared {
    pub(crate) inspection: Inspection,
    /// Code of the configured component; empty if only the description was wanted.
    pub(crate) code: Code,
}

impl Job {
    /// Returns the limits of the calls at load, which may take longer than a call on a message.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            deadline: Duration::from_secs(10),
            answer_bytes: 4 << 20,
            ..self.limits
        }
    }

    pub(crate) fn view(&self) -> CallView {
        CallView {
            message: None,
            id: None,
            time: Millis::now(),
            scope: Scope {
                policy: self.policy.clone(),
                account: None,
            },
            memory: Arc::new(NoMemory),
            directory: Arc::new(NoDirectory),
            identity: Arc::new(NoIdentity),
            origin: Origin::default(),
            facts: None,
            queued: None,
            result: None,
            duties: Duties::default(),
            grants: Grants::default(),
            recipients: Arc::new([]),
            allowance: Allowance::default(),
            is_live: true,
            is_candidate: false,
            digest: String::new(),
        }
    }
}

/// Does the job. Calls `on_step` with the name of each step before it on_step.
pub(crate) async fn prepare(
    engine: &Engine,
    job: &Job,
    module: &[u8],
    on_step: &(dyn Fn(&'static str) + Sync),
) -> Result<Prepared, LoadError> {
    on_step("reading it");
    let (component, kind) = component::component(module)?;
    on_step("compiling it");
    let bare = Instrumented::new(engine, &component)?;
    on_step("asking for its settings' schema");
    let inspection = inspect(engine, job, bare.compiled(), module, kind).await?;
    let Some(json) = &job.settings else {
        let code = Code::from_child(Vec::new());
        return Ok(Prepared { inspection, code });
    };
    on_step(settings::STEP);
    settings::check(&inspection.schema, json, job.validation)?;
    on_step("configuring");
    let snapshot = bare.configured(engine, job, json).await?;
    drop(bare);
    let step = "compiling what was configured";
    on_step(step);
    let compiled = Compiled::new(engine, &snapshot)?;
    let code = Code::from_component(&compiled.component).map_err(|error| LoadError::Fault {
        step: step.into(),
        detail: format!("{error:#}"),
    })?;
    if code.bytes().len() > job.code {
        return Err(LoadError::Exhausted {
            step: step.into(),
            resource: Resource::Code(job.code),
        });
    }
    Ok(Prepared { inspection, code })
}

/// Asks a component for its schema and duties, and describes it.
async fn inspect(
    engine: &Engine,
    job: &Job,
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
            #[component(name = "routes")]
            const ROUTES;
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
    let mut store = call::store(engine, job.limits(), job.view());
    let instance = compiled
        .pre
        .instantiate_async(&mut store)
        .await
        .map_err(fault)?;
    let schema = instance
        .get_typed_func::<(), (String,)>(&mut store, schema)
        .map_err(mismatch)?;
    let (schema,) = schema.call_async(&mut store, ()).await.map_err(fault)?;
    if schema.len() > settings::LONGEST_SCHEMA {
        return Err(LoadError::TooMany {
            what: "octets of its settings' schema".into(),
            limit: settings::LONGEST_SCHEMA as u64,
        });
    }
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
            routes: duties & WitDuties::ROUTES != WitDuties::default(),
        },
        schema,
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
