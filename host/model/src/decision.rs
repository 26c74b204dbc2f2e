//! The decision of one call of a policy, before anything of it is carried out.

use gatepost_message::{Address, Edit, FieldName};
use serde::{Deserialize, Serialize};

use crate::{Classification, Effect, RecipientVerdict};

/// Requests of one call of a policy beside its verdict, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Decision {
    /// Reasons, for the postmaster.
    pub reasons: Vec<String>,
    /// Tags to put on the message.
    pub tags: Vec<String>,
    /// Class of the message.
    pub classification: Option<Classification>,
    /// Changes to the header section.
    pub edits: Vec<Edit>,
    /// Fields that no later policy may touch.
    pub protected: Vec<FieldName>,
    /// Descriptions of requests that the host dropped: edits of a protected field, edits that would
    /// make the message too large, reasons beyond the limit.
    pub dropped: Vec<String>,
    /// Verdicts on single recipients.
    pub recipients: Vec<(Address, RecipientVerdict)>,
    /// Effects to store at commit.
    pub effects: Vec<Effect>,
    /// True if the submitter is to be told which recipients were suppressed.
    pub report_suppressed: bool,
}
