//! Progress of a backup or of its restoring.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Stage of a backup or of its restoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BackupStage {
    /// Copies the database of the queue; the numbers are its pages.
    Queue,
    /// Copies the bodies of large messages; the numbers are files.
    Bodies,
    /// Copies the directory and the states of connections; the numbers are files.
    Directory,
    /// Copies the configuration and the files that it names; the numbers are files.
    Configuration,
    /// Computes digests, or copies files and compares their digests; the numbers are files.
    Digests,
    /// Opens the restored store; the numbers are its parts.
    Opening,
}

impl BackupStage {
    /// Returns the stage in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Queue => "pages of the queue",
            Self::Bodies => "bodies of large messages",
            Self::Directory => "files of the directory",
            Self::Configuration => "files of the configuration",
            Self::Digests => "files compared by digest",
            Self::Opening => "parts of the store opened",
        }
    }
}

/// Progress within a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BackupProgress {
    /// Stage.
    pub stage: BackupStage,
    /// Number of things that are done.
    pub done: u64,
    /// Number of things in all, as far as it is known.
    pub total: u64,
}

/// Function that is told of the progress. It must not wait.
pub type BackupReport = Arc<dyn Fn(BackupProgress) + Send + Sync>;

/// Tells that so many are done.
pub(crate) fn tell(report: &BackupReport, stage: BackupStage, done: usize, total: usize) {
    report(BackupProgress {
        stage,
        done: done as u64,
        total: total as u64,
    });
}
