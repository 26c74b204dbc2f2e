//! Kinds of difference between the answers of two versions.

use serde::{Deserialize, Serialize};

/// Kind of a difference between the answers of two versions to one call.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Verdict, by its word.
    Verdict,
    /// Reply or reason of the same verdict.
    Reply,
    /// Class of the message.
    Class,
    /// Tags.
    Tags,
    /// Changes to the header section.
    Edits,
    /// Verdicts on single recipients.
    Recipients,
    /// Routing of a recipient.
    Route,
    /// Effects.
    Effects,
    /// Reasons for the postmaster.
    Reasons,
    /// Faults.
    Faults,
}

impl DifferenceKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Verdict,
        Self::Reply,
        Self::Class,
        Self::Tags,
        Self::Edits,
        Self::Recipients,
        Self::Route,
        Self::Effects,
        Self::Reasons,
        Self::Faults,
    ];

    /// Returns its word in JSON, in metrics and in commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Reply => "reply",
            Self::Class => "class",
            Self::Tags => "tags",
            Self::Edits => "edits",
            Self::Recipients => "recipients",
            Self::Route => "route",
            Self::Effects => "effects",
            Self::Reasons => "reasons",
            Self::Faults => "faults",
        }
    }
}
