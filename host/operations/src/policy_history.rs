//! History of a policy: its last versions, with who activated each, when and from where.

use clap::Args;
use gatepost_policy_set::Policies;
use gatepost_policy_set::history::ActivatedVersion;
use serde::{Deserialize, Serialize};

use crate::error::OperationError;

/// Request for the history of a policy, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowHistory {
    /// Name of the policy.
    #[arg(value_name = "NAME")]
    pub policy: String,
}

/// Version in the history of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FormerVersion {
    /// Version, and who activated it.
    #[serde(flatten)]
    pub version: ActivatedVersion,
    /// True if it is active now.
    pub active: bool,
    /// True if the configuration names its module.
    pub configured: bool,
}

/// Lists the last versions of a policy, newest first.
///
/// # Errors
/// There is no such policy.
pub fn history(
    policies: &Policies,
    asked: &ShowHistory,
) -> Result<Vec<FormerVersion>, OperationError> {
    let record = policies.record(&asked.policy)?;
    let configured = record.configured;
    let versions = record.versions.into_iter().enumerate();
    let former = versions.map(|(at, version)| FormerVersion {
        active: at == 0,
        configured: configured.as_ref() == Some(&version.module),
        version,
    });
    Ok(former.collect())
}
