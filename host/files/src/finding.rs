//! What an inspection comes to.

use std::path::Path;

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// All is well, or it is only told.
    Note,
    /// To be looked into; no mail is in danger yet.
    Warning,
    /// Something is damaged or missing, or mail is not taken.
    Error,
}

/// Something that was found out about a part of the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is about: a file, most often.
    pub about: String,
    /// What was found.
    pub found: String,
    /// What to do; empty where there is nothing to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub advice: String,
}

impl Finding {
    /// A finding of this level.
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

    /// One that only tells.
    pub fn note(about: &Path, found: impl Into<String>) -> Self {
        Self::new(Level::Note, about, found, "")
    }
}
