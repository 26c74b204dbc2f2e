//! Kills the relay at random moments under load, again and again.

use anyhow::Result;
use clap::Args;
use test_support::torture;

/// Options of the run.
#[derive(Debug, Args)]
pub struct Torture {
    /// Number of times that the relay is killed.
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Seed of the moments; printed, so that a run can be repeated.
    #[arg(long)]
    seed: Option<u64>,
}

impl Torture {
    /// Runs the torture, and fails if anything was lost.
    pub fn run(self) -> Result<()> {
        let seed = self.seed.unwrap_or_else(|| u64::from(std::process::id()));
        let outcome = torture::run(self.rounds, seed, |line| eprintln!("== {line}"));
        println!("{outcome}");
        anyhow::ensure!(
            outcome.lost == 0,
            "{} accepted messages were lost",
            outcome.lost
        );
        Ok(())
    }
}
