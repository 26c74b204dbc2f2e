//! Backups of a store and its configuration, made while the relay runs, and their restoring.
//!
//! A backup is a folder:
//!
//! ```text
//! backup.json      the manifest: when, by which version, and each file with its digest
//! store/           spool.db, incoming/, directory.db, connections.db, tokens/, key-ring
//! configuration/   the configuration and the files that it names, each at its own path below
//! ```
//!
//! [`write()`] makes one under another name and renames it at the end: a folder with a manifest is
//! complete. The queue is copied first and the directory after it, so that the account of each
//! copied message is there; the key ring comes last, since it only grows. What can be made anew is
//! left out: compiled policies, the policies of domains that were fetched; and the trace, which
//! says what happened to mail and is none.
//!
//! [`restore()`] makes a store of it in a new folder, opens each part there as the relay would, and
//! renames it. Queued mail is held, unless the operator says that nothing was delivered since:
//! nobody can know what was.

#![forbid(unsafe_code)]

mod error;
mod manifest;
mod progress;
mod restore;
mod source;
mod write;

pub use error::{BackupError, RestoreError};
pub use manifest::{Manifest, ManifestFile};
pub use progress::{BackupProgress, BackupReport, BackupStage};
pub use restore::{HeldMessage, RestoreOrder, Restored, restore};
pub use source::{BackupKeys, BackupSource};
pub use write::write;
