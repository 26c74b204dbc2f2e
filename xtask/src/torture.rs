//! Kills the relay at random moments under load, again and again.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use test_support::torture::{self, submissions};

/// Options of the run.
#[derive(Debug, Args)]
pub struct Torture {
    /// Number of times that the relay is killed under each load.
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Seed of the moments; printed, so that a run can be repeated.
    #[arg(long)]
    seed: Option<u64>,
    /// Kill it under this load only; may be given several times.
    #[arg(long, value_enum, value_name = "LOAD")]
    only: Vec<TortureLoad>,
}

/// Loads under which the relay is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TortureLoad {
    /// Inbound mail.
    Inbound,
    /// Messages over HTTP under keys, beside submissions over SMTP, with their events to a webhook.
    Submissions,
}

impl Torture {
    /// Runs the torture, and fails if anything was lost.
    pub fn run(self) -> Result<()> {
        let seed = self.seed.unwrap_or_else(|| u64::from(std::process::id()));
        let progress = |line: &str| eprintln!("== {line}");
        let wanted = |load: &TortureLoad| self.only.is_empty() || self.only.contains(load);
        for load in TortureLoad::value_variants().iter().filter(|of| wanted(of)) {
            progress(&format!("seed {seed}"));
            match load {
                TortureLoad::Inbound => {
                    let outcome = torture::run(self.rounds, seed, progress);
                    println!("{outcome}");
                    let lost = outcome.lost;
                    ensure!(lost == 0, "{lost} accepted messages were lost");
                }
                TortureLoad::Submissions => {
                    let outcome = submissions::run(self.rounds, seed, progress);
                    println!("{outcome}");
                    let broken = outcome.broken.len();
                    ensure!(broken == 0, "{broken} promises were broken");
                }
            }
        }
        Ok(())
    }
}
