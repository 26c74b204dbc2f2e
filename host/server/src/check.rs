//! Being written.

use std::process::ExitCode;

use crate::cli::CheckArgs;

/// Judges stored messages.
///
/// # Errors
/// The configuration is wrong, or a message cannot be read.
pub async fn run(args: CheckArgs) -> miette::Result<ExitCode> {
    let _ = args;
    todo!()
}
