//! Kill the relay at random moments under load, as often as is asked for.

use anyhow::Result;
use clap::Args;
use test_support::torture;

/// How to torture.
#[derive(Debug, Args)]
pub struct Torture {
    /// How often the relay is killed.
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Seed of the moments; printed, so that a run can be repeated.
    #[arg(long)]
    seed: Option<u64>,
}

impl Torture {
    /// Tortures, and fails if anything was lost.
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
