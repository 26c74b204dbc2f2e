//! One version of one policy, ready to be called, and the description of its module. The load is
//! described in [`crate::load`].

use std::sync::Arc;

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use crate::Duties;
use crate::breaker::{Breaker, BreakerState};
use crate::cache::Code;
use crate::component::ModuleKind;
use crate::contract::{self, VERSION};
use crate::definition::Definition;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::host::CallState;

/// Point in the life of a message at which a policy may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Hook {
    /// Connection of a client.
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

    /// Returns the name of its interface in the contract.
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

    /// Returns the index of its function in a component that exports it.
    pub(crate) fn export_of(self, component: &Component) -> Option<ComponentExportIndex> {
        export(component, self.word(), self.function())
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

/// Compiled component with its imports resolved.
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

    /// Links code that was compiled before.
    pub(crate) fn from_code(engine: &Engine, code: &Code) -> Result<Self, LoadError> {
        let component = code
            .component(&engine.wasm)
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

/// Parts of a version that a call needs.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) pre: InstancePre<CallState>,
    exports: [Option<ComponentExportIndex>; Hook::ALL.len()],
}

impl Loaded {
    pub(crate) fn new(compiled: Compiled) -> Self {
        let Compiled { component, pre } = compiled;
        let exports = Hook::ALL.map(|hook| hook.export_of(&component));
        Self { pre, exports }
    }

    pub(crate) fn export(&self, hook: Hook) -> wasmtime::Result<ComponentExportIndex> {
        self.exports[hook as usize]
            .ok_or_else(|| wasmtime::Error::msg("the policy does not export this hook"))
    }
}

/// Description of a module without its settings, as `gatepost policy inspect` prints it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inspection {
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Size of the file, in bytes.
    pub size: usize,
    /// Kind of the file: core module or component.
    pub kind: ModuleKind,
    /// Version of the contract that it was built for.
    #[serde(skip, default = "contract_version")]
    pub contract: &'static str,
    /// Hooks that it exports.
    pub hooks: Vec<Hook>,
    /// Interfaces of the contract that it imports.
    pub imports: Vec<String>,
    /// Duties that it declares.
    pub duties: Duties,
    /// JSON Schema of its settings.
    pub schema: String,
}

/// Returns the only version that a loaded module can have: others are refused.
fn contract_version() -> &'static str {
    VERSION
}

/// One version of one policy: a module with settings, compiled, configured and tried.
pub struct Version {
    pub(crate) engine: Arc<Engine>,
    pub(crate) loaded: Loaded,
    pub(crate) definition: Definition,
    pub(crate) inspection: Inspection,
    pub(crate) digest: String,
    pub(crate) loaded_at: Millis,
    pub(crate) breakers: [Breaker; Hook::ALL.len()],
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
    /// Returns the name of the policy in the configuration.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// Returns the SHA-256 of the module and its settings, in hexadecimal: every record names the
    /// version by it.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the same version without the memory of its faults, as it was when it was loaded.
    #[must_use]
    pub fn unburdened(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            loaded: self.loaded.clone(),
            definition: self.definition.clone(),
            inspection: self.inspection.clone(),
            digest: self.digest.clone(),
            loaded_at: self.loaded_at,
            breakers: Hook::ALL.map(|_| Breaker::new()),
        }
    }

    /// Returns the description of the module.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// Returns the hooks that it exports, in the order in which a message meets them.
    pub fn hooks(&self) -> &[Hook] {
        &self.inspection.hooks
    }

    /// Returns true if it imports the facts about a message's origin: only then are they gathered.
    pub fn wants_authentication(&self) -> bool {
        let mut imports = self.inspection.imports.iter();
        imports.any(|interface| interface == contract::AUTHENTICATION)
    }

    /// Returns the duties that it declares.
    pub fn duties(&self) -> Duties {
        self.inspection.duties
    }

    /// Returns its definition in the configuration.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    pub(crate) fn breaker(&self, hook: Hook) -> &Breaker {
        &self.breakers[hook as usize]
    }

    /// Returns the worst state of its hooks' circuit breakers.
    pub fn breaker_state(&self) -> BreakerState {
        let states = self.breakers.iter().map(Breaker::state);
        states.fold(BreakerState::Closed, BreakerState::worse)
    }

    /// Returns the time at which it was loaded.
    pub fn loaded_at(&self) -> Millis {
        self.loaded_at
    }
}

fn export(component: &Component, interface: &str, function: &str) -> Option<ComponentExportIndex> {
    let instance = component.get_export_index(None, contract::interface(interface))?;
    component.get_export_index(Some(&instance), function)
}

pub(crate) fn settings_function(
    component: &Component,
    function: &str,
) -> Result<ComponentExportIndex, LoadError> {
    export(component, "settings", function)
        .ok_or_else(|| LoadError::MissingExport(contract::interface("settings")))
}
