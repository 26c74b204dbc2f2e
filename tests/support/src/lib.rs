//! What the tests of several crates share.

#![forbid(unsafe_code)]

mod modules;

pub use modules::{hostile, policy};

use std::path::PathBuf;

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A folder of the public conformance suites, if they are at hand: in `$GATEPOST_CONFORMANCE`, or
/// in `shared/conformance` beside the repository. Says so, in one line, where they are not.
pub fn conformance(suite: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GATEPOST_CONFORMANCE")
        .map_or_else(|| workspace().join("../shared/conformance"), PathBuf::from);
    let folder = root.join(suite);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: the suite {suite} is not at hand (set GATEPOST_CONFORMANCE)");
    None
}
