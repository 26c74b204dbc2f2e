//! Audit log: what was changed, by whom, when and from where.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

/// Entry of the audit log. Its texts are bounded by who writes it, and none of them is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AuditEntry {
    /// Time of the change.
    pub at: Millis,
    /// Id of the account that it concerns; `None` for the whole site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Actor: a user of the system, a credential, or `gatepost` itself.
    pub actor: String,
    /// Place from which it was done, such as `socket` or an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Change that was made, such as `credential-rotated`.
    pub action: String,
    /// Item that it was done to, such as an address.
    pub subject: String,
    /// Detail of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Entry of the audit log with its number, which grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditRecord {
    /// Number of the entry.
    pub seq: u64,
    /// Entry.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// Choice of entries of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only those of this account, by its id.
    pub account: Option<String>,
    /// Only those with a smaller number.
    pub before: Option<u64>,
    /// Maximum number of entries.
    pub limit: usize,
}
