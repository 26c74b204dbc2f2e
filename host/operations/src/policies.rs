//! Policies of a running relay: they are listed, and their versions swapped and rolled back. Their
//! history stands in [`crate::policy_history`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use gatepost_message::Millis;
use gatepost_policy::{BreakerState, LoadError, OnError, Slot};
use gatepost_policy_set::history::ROLLBACK;
use gatepost_policy_set::rollouts::RolloutFault;
use gatepost_policy_set::{Policies, PolicyError, PolicyFault, Swap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::asker::Asker;
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
    /// Name of the module's file, for the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Request to activate the module that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateConfigured {
    /// Name of the policy.
    pub policy: String,
}

/// Request to end the rollout of a policy, or to activate an earlier version again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// Name of the policy.
    #[arg(value_name = "NAME")]
    pub policy: String,
    /// Version of its history: the beginning of its digest, or of its module's. When not given, the
    /// last with another module than the active one; this is refused if the last thing that happened is
    /// that a candidate was dropped.
    #[arg(long, value_name = "DIGEST")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
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
    /// Time when the version was loaded: at its activation, or at the last start of the relay.
    pub loaded_at: Millis,
    /// Time from which the version has been active, also before a restart.
    pub active_since: Millis,
    /// Digest of the version under trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
    /// Digest of the version that the configuration names, where another was activated by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured: Option<String>,
    /// Reason why the module in the watched folder is not active, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl PolicyStatus {
    /// Returns the status of one policy.
    ///
    /// # Errors
    /// There is no such policy.
    pub(crate) fn named(policies: &Policies, policy: &str) -> Result<Self, OperationError> {
        // It names those that there are.
        policies.record(policy)?;
        let slots = policies.slots();
        let slot = slots.iter().find(|slot| slot.name() == policy);
        let gone = || OperationError::new(Code::UnknownPolicy, "the policy is gone");
        slot.map(|slot| Self::of(policies, slot)).ok_or_else(gone)
    }

    fn of(policies: &Policies, slot: &Slot) -> Self {
        let version = slot.current();
        let record = policies.record(slot.name()).unwrap_or_default();
        let previous = record.before(&version.inspection().digest);
        let previous = previous.map(|of| of.digest.clone());
        let configured = (record.activated).and(record.configured_version);
        Self {
            policy: slot.name().to_owned(),
            digest: version.digest().to_owned(),
            previous,
            hooks: (version.hooks().iter())
                .map(|hook| hook.word().to_owned())
                .collect(),
            on_error: version.definition().on_error,
            called: slot.breaker() != BreakerState::Open,
            accounts_not_called: slot.breaker().accounts(),
            loaded_at: version.loaded_at(),
            active_since: policies.active_since(slot),
            candidate: (slot.trial()).map(|trial| trial.version().digest().to_owned()),
            configured,
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

/// Activates a module, until the configuration names another than it does now.
///
/// # Errors
/// There is no such policy, or the module cannot be loaded or kept; the active version stays.
pub async fn activate(
    policies: &Policies,
    asked: ActivateModule,
    asker: &Asker,
) -> Result<Swap, OperationError> {
    let ActivateModule {
        policy,
        module,
        source,
    } = asked;
    let by = asker.activating(source.as_deref().unwrap_or("a request"));
    Ok(policies.activate(&policy, module.into(), by).await?)
}

/// Activates the module that the configuration names, in the place of one activated by hand.
///
/// # Errors
/// There is no such policy, or the module cannot be loaded.
pub async fn activate_configured(
    policies: &Policies,
    asked: ActivateConfigured,
    asker: &Asker,
) -> Result<Swap, OperationError> {
    let by = asker.activating("configuration");
    Ok(policies.activate_configured(&asked.policy, by).await?)
}

/// Ends the rollout of a policy. Without one, or to a version that is named, activates an earlier
/// version again.
///
/// # Errors
/// There is no such policy, or it has no such version, or it cannot be loaded any more. Or no version is
/// named, and the last thing that happened to the policy is that a candidate was dropped.
pub async fn roll_back(
    policies: &Policies,
    asked: RollBack,
    asker: &Asker,
) -> Result<Swap, OperationError> {
    let RollBack { policy, to } = asked;
    let by = asker.activating(ROLLBACK);
    Ok(policies.rollback(&policy, to.as_deref(), by).await?)
}

/// Returns the code of an error of loading a module.
fn code_of(error: &LoadError) -> Code {
    match error {
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
    }
}

impl From<PolicyError> for OperationError {
    fn from(error: PolicyError) -> Self {
        let code = match &*error.reason {
            PolicyFault::Unknown { .. } => Code::UnknownPolicy,
            PolicyFault::NoEarlier => Code::NoEarlierVersion,
            PolicyFault::NoSuchVersion { .. } => Code::UnknownVersion,
            PolicyFault::History(_) => Code::StoreFailed,
            PolicyFault::Rollout(reason) => match reason {
                RolloutFault::Active => Code::VersionActive,
                RolloutFault::NoShare(_) => Code::NothingToDecide,
                RolloutFault::Steps | RolloutFault::NoCalls => Code::UnsoundSteps,
                RolloutFault::None { .. } => Code::NoRollout,
                RolloutFault::Over { .. } => Code::NothingToDrop,
                RolloutFault::Shadow { .. } | RolloutFault::OneShare { .. } => Code::NoSteps,
            },
            PolicyFault::Unreadable { .. } | PolicyFault::Module { .. } => Code::UnreadableModule,
            PolicyFault::Load(error)
            | PolicyFault::Activated { source: error, .. }
            | PolicyFault::SettingsRefused { source: error, .. } => code_of(error),
        };
        Self::new(code, error)
    }
}

pub(crate) fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

pub(crate) fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}
