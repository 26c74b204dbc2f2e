//! `cargo xtask test`: builds every test, then runs the binaries of tests side by side.
//!
//! Cargo runs one binary after the other. Most tests wait for servers and for time, so that the machine
//! would idle for a third of the run. Those that measure times run alone, after all others. With
//! arguments, cargo runs what they select.

use std::collections::VecDeque;
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::setup::{cargo, run};

/// Binaries that run side by side. Each has threads of its own, `$RUST_TEST_THREADS`.
const SIDE_BY_SIDE: usize = 2;

/// Binaries that take longest, which begin first.
const FIRST: [&str; 5] = ["policies", "operations", "sandbox", "smtp", "routes"];

/// Binaries that measure times: a busy machine would decide what they find.
const ALONE: [&str; 2] = ["chain", "isolation"];

/// Builds all tests and runs them; with arguments, has cargo run those that they select.
pub fn test(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        eprintln!("== running the tests");
        return run(cargo().args(["test", "--workspace"]).args(arguments));
    }
    eprintln!("== building the tests");
    let mut jobs = binaries()?;
    jobs.push_front(Job::doc_tests());
    let rank = |job: &Job| FIRST.iter().position(|name| *name == job.name);
    jobs.make_contiguous()
        .sort_by_key(|job| rank(job).unwrap_or(FIRST.len()));
    let (alone, others) = jobs
        .into_iter()
        .partition(|job| ALONE.contains(&job.name.as_str()));
    eprintln!("== running the tests");
    let mut failed = run_all(others, SIDE_BY_SIDE)?;
    failed.extend(run_all(alone, 1)?);
    ensure!(failed.is_empty(), "tests failed: {}", failed.join(", "));
    Ok(())
}

/// Program that runs tests.
struct Job {
    /// Name of the target in its package.
    name: String,
    /// Folder of the package and name, as they are shown.
    shown: String,
    command: Command,
}

impl Job {
    /// The examples in the documentation, which cargo alone can run.
    fn doc_tests() -> Self {
        let mut command = cargo();
        command.current_dir(test_support::workspace());
        command.args(["test", "--workspace", "--doc"]);
        Self {
            name: "doc".to_owned(),
            shown: "examples in the documentation".to_owned(),
            command,
        }
    }

    /// Reads a message of cargo about an artefact; `None` if it is no binary of tests.
    fn read(message: &Value) -> Option<Self> {
        if message["profile"]["test"] != true {
            return None;
        }
        let name = message["target"]["name"].as_str()?.to_owned();
        let mut package = PathBuf::from(message["manifest_path"].as_str()?);
        package.pop();
        let workspace = test_support::workspace().canonicalize().ok()?;
        let place = package.strip_prefix(workspace).unwrap_or(&package);
        let shown = format!("{} {name}", place.display());
        let mut command = Command::new(message["executable"].as_str()?);
        // As cargo runs it.
        command
            .env("CARGO_MANIFEST_DIR", &package)
            .current_dir(&package);
        Some(Self {
            name,
            shown,
            command,
        })
    }

    /// Runs it to its end and prints what it said: all of it if it has failed, or else the numbers, and
    /// what was skipped. Returns true if it has passed.
    fn run(&mut self, print: &Mutex<()>) -> Result<bool> {
        let mut said = tempfile::tempfile()?;
        let began = Instant::now();
        self.command.stdin(Stdio::null());
        self.command
            .stdout(said.try_clone()?)
            .stderr(said.try_clone()?);
        let status = self.command.status();
        let status = status.with_context(|| format!("{} does not run", self.shown))?;
        said.rewind()?;
        let mut octets = Vec::new();
        said.read_to_end(&mut octets)?;
        let text = String::from_utf8_lossy(&octets);
        let seconds = began.elapsed().as_secs();
        let _one_at_a_time = print.lock().unwrap_or_else(PoisonError::into_inner);
        if status.success() {
            println!("{} ({seconds} s)", self.shown);
            let is_told = |line: &&str| line.starts_with("test result") || line.contains("SKIPPED");
            text.lines()
                .filter(is_told)
                .for_each(|line| println!("    {line}"));
        } else {
            println!("{} failed ({seconds} s, {status})\n{text}", self.shown);
        }
        Ok(status.success())
    }
}

/// Builds every test; returns the binaries.
fn binaries() -> Result<VecDeque<Job>> {
    let mut build = cargo();
    build.current_dir(test_support::workspace());
    build.args(["test", "--workspace", "--no-run"]);
    build.arg("--message-format=json-render-diagnostics");
    let output = build.stderr(Stdio::inherit()).output();
    let output = output.context("cargo does not run")?;
    ensure!(output.status.success(), "the tests are not built");
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let jobs: VecDeque<_> = messages.filter_map(|message| Job::read(&message)).collect();
    ensure!(!jobs.is_empty(), "cargo names no binary of tests");
    Ok(jobs)
}

/// Runs all, so many side by side; returns those that have failed.
fn run_all(jobs: VecDeque<Job>, side_by_side: usize) -> Result<Vec<String>> {
    let (left, print) = (Mutex::new(jobs), Mutex::new(()));
    let work = || -> Result<Vec<String>> {
        let mut failed = Vec::new();
        loop {
            let next = left
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(mut job) = next else {
                return Ok(failed);
            };
            if !job.run(&print)? {
                failed.push(job.shown);
            }
        }
    };
    let mut failed = Vec::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..side_by_side).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let ended = worker.join();
            failed.extend(ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(failed)
    })
}

#[cfg(test)]
mod unit_tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_binary_of_tests_is_run_in_the_folder_of_its_package() {
        let package = test_support::workspace()
            .canonicalize()
            .unwrap()
            .join("host/policy");
        let mut message = json!({
            "reason": "compiler-artifact",
            "manifest_path": package.join("Cargo.toml"),
            "target": { "name": "sandbox", "kind": ["test"] },
            "profile": { "test": true },
            "executable": "/target/debug/deps/sandbox",
        });
        let job = Job::read(&message).unwrap();
        assert_eq!(job.shown, "host/policy sandbox");
        assert_eq!(job.command.get_current_dir(), Some(package.as_path()));
        message["profile"]["test"] = json!(false);
        assert!(Job::read(&message).is_none());
    }

    #[test]
    fn one_failure_of_several_is_told() {
        let job = |program: &str| Job {
            name: program.to_owned(),
            shown: program.to_owned(),
            command: Command::new(program),
        };
        let jobs = ["true", "false", "true"].map(job).into();
        assert_eq!(run_all(jobs, 2).unwrap(), ["false"]);
        assert!(run_all([job("/absent")].into(), 1).is_err());
    }
}
