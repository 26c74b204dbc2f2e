//! Being written.

use std::path::Path;
use std::process::ExitCode;

use crate::config::Config;

/// Runs the relay until it is told to stop. `path` is the file of the configuration, read again
/// on SIGHUP.
///
/// # Errors
/// It cannot start.
pub async fn run(config: Config, path: &Path) -> miette::Result<ExitCode> {
    let _ = (config, path);
    todo!()
}
