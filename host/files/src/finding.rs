//! Findings of an inspection.

use std::path::Path;

use serde::Serialize;

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing is wrong.
    Note,
    /// To be examined; no mail is in danger yet.
    Warning,
    /// Something is damaged or missing, or mail is not accepted.
    Error,
}

/// A finding about a part of the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// Severity.
    pub level: Level,
    /// Subject: usually the path of a file.
    pub about: String,
    /// Description of the finding.
    pub found: String,
    /// Advice; empty if there is nothing to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub advice: String,
}

impl Finding {
    /// Makes a finding of this severity.
    pub fn new(
        level: Level,
        about: &Path,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            level,
            about: about.display().to_string(),
            found: found.into(),
            advice: advice.into(),
        }
    }

    /// Makes a finding that only informs.
    pub fn note(about: &Path, found: impl Into<String>) -> Self {
        Self::new(Level::Note, about, found, "")
    }
}
