//! `cargo xtask TASK`: builds what the task needs and runs it.
//!
//! The tasks themselves are the package `xtask`. The launcher depends on nothing, so it is built in
//! a second; then one cargo builds relay, policies and tasks together, with the features that the
//! tests use. So `cargo xtask test` reuses what `cargo xtask demo` has built, and the other way
//! round.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cargo xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[OsString]) -> Result<ExitCode, String> {
    let task = arguments.first().and_then(|task| task.to_str());
    let mut build = cargo();
    // Both packages are named whatever is built: cargo chooses features by them.
    build.args(["build", "--package=gatepost", "--package=xtask"]);
    match task {
        // The task builds what it measures itself, for release.
        Some("bench" | "prose") => {
            add_target()?;
            build.arg("--bin=xtask");
        }
        Some(task) if !task.starts_with('-') => {
            add_target()?;
            eprintln!("== building the policies and the relay (the first time takes some minutes)");
        }
        _ => {
            build.arg("--bin=xtask");
        }
    }
    succeed(&mut build)?;
    let program = target().join("debug").join("xtask");
    let status = Command::new(&program).args(arguments).status();
    let status = status.map_err(|error| format!("{} does not run: {error}", program.display()))?;
    // A task that was ended by a signal has failed.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn add_target() -> Result<(), String> {
    // Asked of rustc and not of rustup, so that a Rust from elsewhere will do.
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("rustc does not run, is Rust installed? {error}"))?;
    let library = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    eprintln!("== adding the target {TARGET}");
    succeed(Command::new("rustup").args(["target", "add", TARGET]))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns cargo's target directory: the launcher itself was built there.
fn target() -> PathBuf {
    let this = env::current_exe().ok();
    let beside = this.and_then(|this| Some(this.parent()?.parent()?.to_owned()));
    beside.unwrap_or_else(|| workspace().join("target"))
}

fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    cargo
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.status();
    let program = command.get_program().to_string_lossy();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} failed: {status}")),
        Err(error) => Err(format!("{program} does not run: {error}")),
    }
}
