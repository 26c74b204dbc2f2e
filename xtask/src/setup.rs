//! Builds that a task needs beside the launcher's.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail, ensure};

/// Builds all of the workspace, with cargo's own progress on standard error.
pub fn build() -> Result<()> {
    eprintln!("== building all that is tested");
    run(cargo().args(["build", "--workspace"]))
}

/// Programs built for release, to be measured.
#[derive(Debug)]
pub struct Release {
    /// Relay, or the one that `$GATEPOST_BIN` names.
    pub relay: PathBuf,
    /// Example that runs the policies without a relay around them.
    pub chain_cost: PathBuf,
}

/// Builds the relay for release, unless `$GATEPOST_BIN` names one that is already built, and, if
/// wanted, the example that measures the policies by themselves.
pub fn build_release(with_chain: bool) -> Result<Release> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| test_support::workspace().join("target"));
    let named = std::env::var_os("GATEPOST_BIN").map(PathBuf::from);
    let release = |package: &[&str]| {
        eprintln!("== building for release (the first time takes some minutes)");
        run(cargo().args(["build", "--release"]).args(package))
    };
    if named.is_none() {
        release(&["--package=gatepost"])?;
    }
    if with_chain {
        release(&["--package=gatepost-policy", "--example=chain_cost"])?;
    }
    Ok(Release {
        relay: named.unwrap_or_else(|| target.join("release/gatepost")),
        chain_cost: target.join("release/examples/chain_cost"),
    })
}

/// Runs every test of the workspace.
pub fn test(arguments: &[String]) -> Result<()> {
    eprintln!("== running the tests");
    run(cargo().args(["test", "--workspace"]).args(arguments))
}

fn cargo() -> Command {
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
