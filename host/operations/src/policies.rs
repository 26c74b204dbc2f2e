//! Policies of a running relay: they are listed, and their versions swapped and rolled back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use gatepost_message::Millis;
use gatepost_policy::{BreakerState, LoadError, OnError, Slot};
use gatepost_policy_set::{Policies, PolicyError, PolicyFault, Swap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::code::Code;
use crate::error::OperationError;

/// Request for the policies of the relay.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListPolicies {}

/// Request to activate a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateModule {
    /// Name of the policy.
    pub policy: String,
    /// Module, in base64 in JSON.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    #[schemars(with = "String")]
    pub module: Vec<u8>,
}

/// Request to activate the previous version of a policy again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// Name of the policy.
    #[arg(value_name = "NAME")]
    pub policy: String,
}

/// Policy with its active version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyStatus {
    /// Name of the policy.
    pub policy: String,
    /// Digest of the active version.
    pub digest: String,
    /// Digest of the previous version, to which a rollback returns.
    pub previous: Option<String>,
    /// Hooks that it exports.
    pub hooks: Vec<String>,
    /// Treatment of a message when it fails.
    pub on_error: OnError,
    /// False if the circuit breaker is open, because it kept failing.
    pub called: bool,
    /// Number of accounts for which it is not called, while it is called for others.
    #[serde(default)]
    pub accounts_not_called: usize,
    /// Time when the version was loaded.
    pub loaded_at: Millis,
    /// Reason why the module in the watched folder is not active, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl PolicyStatus {
    fn of(policies: &Policies, slot: &Slot) -> Self {
        let version = slot.current();
        Self {
            policy: slot.name().to_owned(),
            digest: version.digest().to_owned(),
            previous: slot.previous().map(|version| version.digest().to_owned()),
            hooks: (version.hooks().iter())
                .map(|hook| hook.word().to_owned())
                .collect(),
            on_error: version.definition().on_error,
            called: slot.breaker() != BreakerState::Open,
            accounts_not_called: slot.breaker().accounts(),
            loaded_at: version.loaded_at(),
            refused: policies.refused(slot.name()),
        }
    }
}

/// Lists the policies, by name.
pub fn list(policies: &Policies, _: ListPolicies) -> Vec<PolicyStatus> {
    let slots = policies.slots();
    let status = |slot| PolicyStatus::of(policies, slot);
    slots.iter().map(|slot| status(slot)).collect()
}

/// Activates a module, until the relay restarts or reloads its configuration.
///
/// # Errors
/// There is no such policy, or the module cannot be loaded; the active version stays.
pub async fn activate(policies: &Policies, asked: ActivateModule) -> Result<Swap, OperationError> {
    let ActivateModule { policy, module } = asked;
    Ok(policies.activate(&policy, module.into()).await?)
}

/// Activates the previous version of a policy again.
///
/// # Errors
/// There is no such policy, or it has no previous version.
pub async fn roll_back(policies: &Policies, asked: RollBack) -> Result<Swap, OperationError> {
    Ok(policies.rollback(&asked.policy).await?)
}

impl From<PolicyError> for OperationError {
    fn from(error: PolicyError) -> Self {
        let code = match &error.reason {
            PolicyFault::Unknown { .. } => Code::UnknownPolicy,
            PolicyFault::NoEarlier(_) => Code::NoEarlierVersion,
            PolicyFault::Unreadable { .. } | PolicyFault::Module { .. } => Code::UnreadableModule,
            PolicyFault::Load(error) => match error {
                LoadError::NotWasm { .. }
                | LoadError::TooLarge { .. }
                | LoadError::Invalid(_)
                | LoadError::TooMany { .. }
                | LoadError::ForbiddenImport { .. }
                | LoadError::MissingExport(_)
                | LoadError::Mismatch { .. } => Code::InvalidModule,
                LoadError::ContractVersion { .. } => Code::OtherContract,
                LoadError::Exhausted { .. } => Code::ModuleGivenUp,
                LoadError::Settings { .. } => Code::InvalidSettings,
                LoadError::SkipFailsOpen { .. } => Code::SkipFailsOpen,
                LoadError::Fault { .. } => Code::ModuleFailed,
                LoadError::SelfTest { .. } => Code::SelfTestFailed,
            },
        };
        Self::new(code, error)
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}
