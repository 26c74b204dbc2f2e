//! Builds that a task needs beside the launcher's.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail, ensure};

/// Builds all of the workspace, with cargo's own progress on standard error.
pub fn build() -> Result<()> {
    eprintln!("== building all that is tested");
    run(cargo().args(["build", "--workspace"]))
}

/// Builds the relay for release, unless `$GATEPOST_BIN` names one that is already built.
pub fn build_relay() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("GATEPOST_BIN") {
        return Ok(named.into());
    }
    build_release(&["--package=gatepost"])?;
    Ok(target().join("release/gatepost"))
}

/// Builds an example for release, which measures a crate without a relay around it.
pub fn build_example(package: &str, example: &str) -> Result<PathBuf> {
    build_release(&["--package", package, "--example", example])?;
    Ok(target().join("release/examples").join(example))
}

fn build_release(what: &[&str]) -> Result<()> {
    eprintln!("== building for release (the first time takes some minutes)");
    run(cargo().args(["build", "--release"]).args(what))
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| test_support::workspace().join("target"))
}

pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    command.current_dir(test_support::workspace());
    let program = command.get_program().to_string_lossy().into_owned();
    let status = match command.status() {
        Ok(status) => status,
        Err(error) => bail!("{program} does not run: {error}"),
    };
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}
