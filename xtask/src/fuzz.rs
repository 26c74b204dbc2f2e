//! Hostile mail through the built-in policies, or inputs for one target of `tests/fuzz`.

use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

/// Options of the run.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// Target of `tests/fuzz`, such as `session`; without it, hostile mail through the policies.
    #[arg(long)]
    target: Option<String>,
    /// Number of cases.
    #[arg(long, default_value_t = 100_000)]
    cases: u64,
    /// Number of the first case; each case is made from its number alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Ends after this many minutes, even if there are cases left.
    #[arg(long)]
    minutes: Option<u64>,
}

impl Fuzz {
    /// Runs the generator (`tests/hostile`), which is a program of its own, so that the other tasks
    /// need not be built with a WebAssembly compiler.
    pub fn run(self) -> Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(test_support::workspace())
            .args(["run", "--quiet", "--locked"]);
        match &self.target {
            None => command.args(["--package=hostile-mail", "--bin=fuzz-policies", "--"]),
            Some(target) => command
                .args(["--package=gatepost-fuzz", "--bin=fuzz-target", "--"])
                .args(["--target", target]),
        };
        command.args(["--cases", &self.cases.to_string()]);
        // Each run has another seed, printed by the program, unless one is to be repeated.
        let seed = self
            .seed
            .unwrap_or_else(|| u64::from(std::process::id()) << 32);
        command.args(["--seed", &seed.to_string()]);
        if let Some(minutes) = self.minutes {
            command.args(["--minutes", &minutes.to_string()]);
        }
        let status = command.status().context("cargo does not start")?;
        anyhow::ensure!(status.success(), "a case has failed");
        Ok(())
    }
}
