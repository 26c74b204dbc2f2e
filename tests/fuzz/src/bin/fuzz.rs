//! Runs one target for as many inputs as are asked for.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use gatepost_fuzz::{TARGETS, Target};

/// Inputs for one target.
#[derive(Debug, Parser)]
struct Fuzz {
    /// Name of the target.
    #[arg(long)]
    target: String,
    /// Number of inputs.
    #[arg(long)]
    cases: u64,
    /// Number of the first input; each input is made from its number alone.
    #[arg(long)]
    seed: u64,
    /// Minutes after which it ends, even if there are inputs left.
    #[arg(long)]
    minutes: Option<u64>,
}

fn main() -> ExitCode {
    let fuzz = Fuzz::parse();
    let Some(target) = Target::named(&fuzz.target) else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("there is no target {}: {}", fuzz.target, names.join(", "));
        return ExitCode::from(2);
    };
    println!("seed {}: {}", fuzz.seed, target.rule);
    let begun = Instant::now();
    let minutes = fuzz
        .minutes
        .map(|minutes| Duration::from_secs(60 * minutes));
    let done = target.run(fuzz.seed, |done| {
        if done % 1_000 == 0 {
            eprint!("\r{done} of {} inputs", fuzz.cases);
            let _ = std::io::stderr().flush();
        }
        done < fuzz.cases && minutes.is_none_or(|most| begun.elapsed() < most)
    });
    println!(
        "\r{done} inputs in {:.1} s: it holds",
        begun.elapsed().as_secs_f64()
    );
    ExitCode::SUCCESS
}
