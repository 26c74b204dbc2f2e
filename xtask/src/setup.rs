//! What has to be there before anything runs: the WebAssembly target and the binary.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

const TARGET: &str = "wasm32-unknown-unknown";

/// Adds the target where it is missing, then builds the relay and its policies, with cargo's own
/// progress on standard error.
pub fn build() -> Result<()> {
    add_target()?;
    eprintln!("== building the policies and the relay (the first time takes some minutes)");
    // The whole workspace, so that the tests find everything built with the same features.
    run(cargo().args(["build", "--workspace"]))
}

/// Builds the relay as it is to be run; gives its binary. `$GATEPOST_BIN` names one that is already
/// built.
pub fn build_release() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("GATEPOST_BIN") {
        return Ok(binary.into());
    }
    add_target()?;
    eprintln!("== building the relay for release (the first time takes some minutes)");
    run(cargo().args(["build", "--release", "--package", "gatepost"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| test_support::workspace().join("target"));
    Ok(target.join("release/gatepost"))
}

/// Runs every test of the workspace.
pub fn test(arguments: &[String]) -> Result<()> {
    eprintln!("== running the tests");
    run(cargo().args(["test", "--workspace"]).args(arguments))
}

fn add_target() -> Result<()> {
    if has_target()? {
        return Ok(());
    }
    eprintln!("== adding the target {TARGET}");
    run(Command::new("rustup").args(["target", "add", TARGET]))
}

/// Whether rustc has a standard library for the target. Asked of rustc and not of rustup, so that
/// a Rust from elsewhere will do.
fn has_target() -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("rustc does not run; is Rust installed?")?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(output.status.success() && path.is_dir())
}

/// The cargo that runs this task.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn run(command: &mut Command) -> Result<()> {
    command.current_dir(test_support::workspace());
    let program = command.get_program().to_string_lossy().into_owned();
    let status = match command.status() {
        Ok(status) => status,
        Err(error) => bail!("{program} does not run: {error}"),
    };
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}
