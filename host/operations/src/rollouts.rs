//! Rollouts of policies: a version is tried beside the active one, watched, held, promoted.

use clap::Args;
use gatepost_policy_set::rollouts::{EndedRollout, RolloutMode, RolloutOrder, RolloutState};
use gatepost_policy_set::{Policies, Swap};
use gatepost_rollout::Thresholds;
use serde::{Deserialize, Serialize};

use crate::asker::Asker;
use crate::error::OperationError;
use crate::policies::{PolicyStatus, from_base64, to_base64};

/// Request to try a module beside the active version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollOut {
    /// Name of the policy.
    pub policy: String,
    /// Module, in base64 in JSON.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    #[schemars(with = "String")]
    pub module: Vec<u8>,
    /// Name of the module's file, for the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Way: in the shadow of the active version, or as a canary.
    pub mode: RolloutMode,
    /// Thresholds of a canary.
    #[serde(default)]
    pub thresholds: Thresholds,
}

/// Request for a policy with its rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowPolicy {
    /// Name of the policy.
    #[arg(value_name = "NAME")]
    pub policy: String,
}

/// Request to make no step of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRollout {
    /// Name of the policy.
    #[arg(value_name = "NAME")]
    pub policy: String,
}

/// Request to go on with a rollout that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContinueRollout {
    /// Name of the policy.
    #[arg(value_name = "NAME")]
    pub policy: String,
}

/// Request to activate the version under trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteCandidate {
    /// Name of the policy.
    #[arg(value_name = "NAME")]
    pub policy: String,
}

/// Policy with its rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyDetails {
    /// Active version.
    #[serde(flatten)]
    pub status: PolicyStatus,
    /// Rollout, if a version is under trial.
    pub rollout: Option<RolloutState>,
    /// Rollouts that have ended, the last one first.
    pub ended: Vec<EndedRollout>,
}

/// Tries a module beside the active version, in the place of one that is being tried.
///
/// # Errors
/// There is no such policy, the module cannot be loaded or kept, or a canary of it would decide
/// nothing.
pub async fn roll_out(
    policies: &Policies,
    asked: RollOut,
    asker: &Asker,
) -> Result<RolloutState, OperationError> {
    let RollOut {
        policy,
        module,
        source,
        mode,
        thresholds,
    } = asked;
    let order = RolloutOrder {
        by: asker.activating(source.as_deref().unwrap_or("a request")),
        policy,
        module: module.into(),
        mode,
        thresholds,
    };
    Ok(policies.roll_out(order).await?)
}

/// Shows a policy with its rollout.
///
/// # Errors
/// There is no such policy.
pub fn show(policies: &Policies, asked: &ShowPolicy) -> Result<PolicyDetails, OperationError> {
    let policy = &asked.policy;
    let ended = policies.record(policy)?.rollouts;
    let status = PolicyStatus::named(policies, policy)?;
    Ok(PolicyDetails {
        status,
        rollout: policies.rollout(policy),
        ended,
    })
}

/// Holds a rollout: no step follows by itself, while its thresholds are watched on.
///
/// # Errors
/// There is no such policy, or no canary of it.
pub async fn hold(policies: &Policies, asked: HoldRollout) -> Result<RolloutState, OperationError> {
    Ok(policies.hold_rollout(&asked.policy, true).await?)
}

/// Lets a rollout go on.
///
/// # Errors
/// As [`hold`].
pub async fn go_on(
    policies: &Policies,
    asked: ContinueRollout,
) -> Result<RolloutState, OperationError> {
    Ok(policies.hold_rollout(&asked.policy, false).await?)
}

/// Activates the version under trial.
///
/// # Errors
/// There is no such policy, or no version of it under trial.
pub async fn promote(
    policies: &Policies,
    asked: PromoteCandidate,
    asker: &Asker,
) -> Result<Swap, OperationError> {
    let source = policies.rollout(&asked.policy);
    let source = source.map(|of| of.rollout.by.source).unwrap_or_default();
    let by = asker.activating(&source);
    Ok(policies.promote(&asked.policy, by).await?)
}
