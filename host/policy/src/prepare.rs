//! From the octets of a module to compiled code: all of a load that works on what nobody has
//! checked yet.
//!
//! The octets become a component ([`crate::component`]), the component is asked for its schema, the
//! settings are checked against that ([`crate::settings`]), it is configured and frozen
//! ([`crate::snapshot`]), and what was frozen is compiled. Of this, wherever it happens
//! ([`crate::child`]), the relay takes what the module says of itself, and the code.

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
use crate::definition::Limits;
use crate::directory::NoDirectory;
use crate::engine::Engine;
use crate::error::{LoadError, Resource};
use crate::host::View;
use crate::identity::NoIdentity;
use crate::memory::NoMemory;
use crate::snapshot::Instrumented;
use crate::version::{Compiled, Hook, Inspection, settings_function};
use crate::{Duties, call, settings};

/// What is to be made of a module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Name of the policy.
    pub(crate) policy: String,
    /// As JSON; `None` where only what the module says of itself is asked for.
    pub(crate) settings: Option<String>,
    /// Of a call.
    pub(crate) limits: Limits,
    /// Octets of the code.
    pub(crate) code: usize,
    /// How long the processor may be at work on checking the settings, where that is limited.
    pub(crate) validation: Option<Duration>,
}

/// What was made of it.
pub(crate) struct Prepared {
    pub(crate) inspection: Inspection,
    /// Configured; empty where only what the module says of itself was asked for.
    pub(crate) code: Code,
}

impl Job {
    /// Loading is not a call on a message: it may take longer.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            deadline: Duration::from_secs(10),
            answer_bytes: 4 << 20,
            ..self.limits
        }
    }

    pub(crate) fn view(&self) -> View {
        View {
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
            user: None,
            facts: None,
            duties: Duties::default(),
            recipients: Arc::new([]),
            allowance: Allowance::default(),
        }
    }
}

/// Does the job; says what it is about to do.
pub(crate) async fn prepare(
    engine: &Engine,
    job: &Job,
    module: &[u8],
    begins: &(dyn Fn(&'static str) + Sync),
) -> Result<Prepared, LoadError> {
    begins("reading it");
    let (component, kind) = component::component(module)?;
    begins("compiling it");
    let bare = Instrumented::new(engine, &component)?;
    begins("asking for its settings' schema");
    let inspection = inspect(engine, job, bare.compiled(), module, kind).await?;
    let Some(json) = &job.settings else {
        let code = Code::from_child(Vec::new());
        return Ok(Prepared { inspection, code });
    };
    begins(settings::STEP);
    settings::check(&inspection.schema, json, job.validation)?;
    begins("configuring");
    let snapshot = bare.configured(engine, job, json).await?;
    drop(bare);
    let step = "compiling what was configured";
    begins(step);
    let compiled = Compiled::new(engine, &snapshot)?;
    let code = Code::of(&compiled.component).map_err(|error| LoadError::Fault {
        step: step.into(),
        detail: format!("{error:#}"),
    })?;
    if code.octets().len() > job.code {
        return Err(LoadError::Exhausted {
            step: step.into(),
            resource: Resource::Code(job.code),
        });
    }
    Ok(Prepared { inspection, code })
}

/// Asks a component what it is.
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
        },
        schema,
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
