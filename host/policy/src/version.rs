//! One version of one policy, loaded and ready: the story of a load.
//!
//! The octets become a component ([`crate::component`]), the settings are checked against the
//! component's own schema, the component is configured and frozen ([`crate::snapshot`]), every
//! hook is called once on a harmless transaction, and the self-tests are run. Only then is there a
//! [`Version`], and only a version can be activated.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_smtp::Reply;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use crate::breaker::Breaker;
use crate::chain::AttemptResult;
use crate::component::{self, ModuleKind};
use crate::contract::{self, VERSION};
use crate::definition::{Definition, Limits, OnError};
use crate::engine::{Engine, MEMORY_RESERVATION};
use crate::error::LoadError;
use crate::host::{CallState, View};
use crate::memory::{NoMemory, Scope};
use crate::{Duties, Ending, Flow, Session, Transaction, call, snapshot};

/// A point in the life of a message where a policy may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hook {
    /// A client has connected.
    Connect,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// End of data.
    Message,
    /// Before an attempt at delivery.
    Route,
    /// After an attempt at delivery.
    Outcome,
}

impl Hook {
    /// All hooks, in the order in which a message meets them.
    pub const ALL: [Hook; 6] = [
        Hook::Connect,
        Hook::Sender,
        Hook::Recipient,
        Hook::Message,
        Hook::Route,
        Hook::Outcome,
    ];

    /// The name of its interface in the contract.
    pub fn word(self) -> &'static str {
        match self {
            Hook::Connect => "connect",
            Hook::Sender => "sender",
            Hook::Recipient => "recipient",
            Hook::Message => "message",
            Hook::Route => "route",
            Hook::Outcome => "outcome",
        }
    }

    fn function(self) -> &'static str {
        match self {
            Hook::Connect => "on-connect",
            Hook::Sender => "on-sender",
            Hook::Recipient => "on-recipient",
            Hook::Message => "on-message",
            Hook::Route => "on-route",
            Hook::Outcome => "on-outcome",
        }
    }
}

/// A compiled component with its imports resolved.
pub(crate) struct Compiled {
    pub(crate) component: Component,
    pub(crate) pre: InstancePre<CallState>,
}

impl Compiled {
    pub(crate) fn new(engine: &Engine, bytes: &[u8]) -> Result<Self, LoadError> {
        let component = Component::new(&engine.wasm, bytes)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        Self::link(engine, component)
    }

    fn link(engine: &Engine, component: Component) -> Result<Self, LoadError> {
        let pre =
            engine
                .linker
                .instantiate_pre(&component)
                .map_err(|error| LoadError::Mismatch {
                    version: VERSION,
                    detail: format!("{error:#}"),
                })?;
        Ok(Self { component, pre })
    }
}

/// What a call needs of a version.
pub(crate) struct Loaded {
    pub(crate) pre: InstancePre<CallState>,
    exports: [Option<ComponentExportIndex>; Hook::ALL.len()],
}

impl Loaded {
    pub(crate) fn export(&self, hook: Hook) -> wasmtime::Result<ComponentExportIndex> {
        self.exports[hook as usize]
            .ok_or_else(|| wasmtime::Error::msg("the policy does not export this hook"))
    }
}

/// What a module says of itself, without settings: `gatepost policy inspect`.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Octets of the file.
    pub size: usize,
    /// Core module or component.
    pub kind: ModuleKind,
    /// The contract's version that it was built for.
    pub contract: &'static str,
    /// The hooks that it exports.
    pub hooks: Vec<Hook>,
    /// The interfaces of the contract that it imports.
    pub imports: Vec<String>,
    /// What it is answerable for.
    pub duties: Duties,
    /// JSON Schema of its settings.
    pub schema: String,
}

/// One version of one policy: module and settings, compiled, configured and tried.
pub struct Version {
    pub(crate) engine: Arc<Engine>,
    pub(crate) loaded: Loaded,
    pub(crate) definition: Definition,
    inspection: Inspection,
    digest: String,
    loaded_at: Millis,
    pub(crate) breaker: Breaker,
}

impl std::fmt::Debug for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Version")
            .field("name", &self.name())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Version {
    /// Name of the policy in the configuration.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// SHA-256 of the module and its settings, in hexadecimal: what stands in every record.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What the module says of itself.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// The hooks that it exports, in the order in which a message meets them.
    pub fn hooks(&self) -> &[Hook] {
        &self.inspection.hooks
    }

    /// What it is answerable for.
    pub fn duties(&self) -> Duties {
        self.inspection.duties
    }

    /// What the configuration says of it.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// When it was loaded.
    pub fn loaded_at(&self) -> Millis {
        self.loaded_at
    }
}

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
    let cached = engine
        .cache
        .as_ref()
        .and_then(|cache| cache.load(&digest, &engine.wasm));
    let (compiled, inspection) = match cached {
        Some(component) => {
            let compiled = Compiled::link(&engine, component)?;
            let inspection = inspect(&engine, &definition, &compiled, module, kind).await?;
            (compiled, inspection)
        }
        None => {
            let bare = Compiled::new(&engine, &component)?;
            let inspection = inspect(&engine, &definition, &bare, module, kind).await?;
            check_settings(&inspection.schema, &definition.settings)?;
            let snapshot = snapshot::configured(&engine, &definition, &component).await?;
            let compiled = Compiled::new(&engine, &snapshot)?;
            if let Some(cache) = &engine.cache {
                cache.store(&digest, &compiled.component);
            }
            (compiled, inspection)
        }
    };
    check_on_error(&definition, inspection.duties)?;
    let exports = Hook::ALL.map(|hook| export(&compiled.component, hook.word(), hook.function()));
    let loaded = Loaded {
        pre: compiled.pre,
        exports,
    };
    let version = Version {
        engine,
        loaded,
        definition,
        inspection,
        digest,
        loaded_at: Millis::now(),
        breaker: Breaker::new(),
    };
    probe(&version).await?;
    self_test(&version).await?;
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

fn export(component: &Component, interface: &str, function: &str) -> Option<ComponentExportIndex> {
    let instance = component.get_export_index(None, &contract::interface(interface))?;
    component.get_export_index(Some(&instance), function)
}

pub(crate) fn settings_function(
    component: &Component,
    function: &str,
) -> Result<ComponentExportIndex, LoadError> {
    export(component, "settings", function)
        .ok_or_else(|| LoadError::MissingExport(contract::interface("settings")))
}

/// Loading is not a call on a message: it may take longer.
pub(crate) fn load_limits(definition: &Definition) -> Limits {
    Limits {
        deadline: Duration::from_secs(10),
        answer_bytes: 4 << 20,
        ..definition.limits
    }
}

pub(crate) fn load_view(definition: &Definition) -> View {
    View {
        message: None,
        id: None,
        time: Millis::now(),
        scope: Scope {
            policy: definition.name.clone(),
            account: None,
        },
        memory: Arc::new(NoMemory),
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
        .filter(|hook| export(component, hook.word(), hook.function()).is_some())
        .collect();
    if hooks.is_empty() {
        return Err(LoadError::MissingExport("hook".into()));
    }
    let _clock = engine.run_clock();
    let mut store = call::store(engine, load_limits(definition), load_view(definition));
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
        .map(|error| {
            let path = error.instance_path().to_string();
            let path = if path.is_empty() {
                "/".to_owned()
            } else {
                path
            };
            format!("{path}: {error}")
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(LoadError::Settings { problems })
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

/// Calls every hook once on a harmless transaction: a version that cannot do that never serves.
async fn probe(version: &Version) -> Result<(), LoadError> {
    let begun = Instant::now();
    let example = |text: &str| Address::parse(text).map_err(|e| e.to_string());
    let addresses =
        example("probe@gatepost.invalid").and_then(|a| Ok((a, example("desk@gatepost.invalid")?)));
    let (sender, recipient) = addresses.map_err(|detail| LoadError::Fault {
        step: "probe".into(),
        detail,
    })?;
    let transaction = Transaction {
        id: TransactionId::new(),
        time: Millis::now(),
        session: Session {
            listener: "probe".into(),
            flow: Flow::Inbound,
            client: SocketAddr::from((Ipv4Addr::LOCALHOST, 25)),
            helo: Some("gatepost.invalid".into()),
            tls: None,
            user: None,
        },
        account: None,
        reverse_path: ReversePath::Address(sender),
        recipients: vec![recipient.clone()],
    };
    let message = Message::from_bytes(Bytes::from_static(
        b"From: <probe@gatepost.invalid>\r\nTo: <desk@gatepost.invalid>\r\nSubject: probe\r\n\r\nprobe\r\n",
    ));
    let result = AttemptResult {
        recipient: recipient.clone(),
        ending: Ending::Delivered,
        reply: Reply::new(250, "2.0.0", "probe"),
        server: None,
    };
    let memory: Arc<dyn crate::Memory> = Arc::new(NoMemory);
    for hook in version.hooks() {
        let fault = match hook {
            Hook::Connect => version.connect(&transaction.session, &memory).await.error,
            Hook::Sender => version.sender(&transaction, &memory).await.error,
            Hook::Recipient => {
                version
                    .recipient(&transaction, &recipient, &memory)
                    .await
                    .error
            }
            Hook::Message => version.message(&transaction, &message, &memory).await.error,
            Hook::Route => {
                version
                    .route(&transaction, &recipient, 0, &memory)
                    .await
                    .1
                    .error
            }
            Hook::Outcome => version.outcome(&transaction, &result, &memory).await.error,
        };
        if let Some(fault) = fault {
            let step = format!("a probe call of its {} hook", hook.word());
            return Err(LoadError::Fault {
                step,
                detail: fault.to_string(),
            });
        }
    }
    tracing::debug!(
        policy = version.name(),
        micros = begun.elapsed().as_micros() as u64,
        "probed"
    );
    Ok(())
}

/// Runs the messages whose verdict is known.
async fn self_test(version: &Version) -> Result<(), LoadError> {
    let memory: Arc<dyn crate::Memory> = Arc::new(NoMemory);
    for test in &version.definition.self_tests {
        let judgement = version
            .message(&test.transaction, &test.message, &memory)
            .await;
        let got = match &judgement.error {
            Some(fault) => fault.to_string(),
            None => judgement.verdict.word().to_owned(),
        };
        if got != test.expect {
            let reasons = judgement.decision.reasons.join("; ");
            return Err(LoadError::SelfTest {
                name: test.name.clone(),
                expected: test.expect.clone(),
                got,
                reasons: (!reasons.is_empty()).then_some(reasons),
            });
        }
    }
    Ok(())
}
