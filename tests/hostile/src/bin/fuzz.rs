//! Sends hostile cases through the built-in policies until it is told to stop; `cargo xtask fuzz`.
//! Failing cases are shrunk and written to a folder.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use gatepost_model::Flow;
use hostile_mail::{Call, Case, Site, shrink};

/// Sends hostile mail through the built-in policies in their sandbox.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask fuzz")]
struct Fuzz {
    /// Number of cases.
    #[arg(long, default_value_t = 100_000)]
    cases: u64,
    /// Number of the first case; each case is made from its number alone.
    #[arg(long, default_value_t = 1_000_000)]
    seed: u64,
    /// Ends after this many minutes, even if there are cases left.
    #[arg(long)]
    minutes: Option<u64>,
    /// Folder for failing cases.
    #[arg(long, default_value = "target/fuzz")]
    folder: PathBuf,
    /// Writes the inbound messages of the cases to this folder, and judges none.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

/// Longest time of one call.
const LONGEST_CALL: Duration = Duration::from_millis(20);

/// Most tries of a case that took too long.
const TRIES: usize = 8;

fn main() -> ExitCode {
    let fuzz = Fuzz::parse();
    if let Some(folder) = &fuzz.write {
        return match write(folder, fuzz.seed, fuzz.cases) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("cannot write to {}: {error}", folder.display());
                ExitCode::FAILURE
            }
        };
    }
    let site = Site::new();
    let begun = Instant::now();
    let end = fuzz
        .minutes
        .map(|minutes| begun + Duration::from_secs(60 * minutes));
    let (mut calls, mut failed, mut slowest) = (0usize, 0usize, Duration::ZERO);
    let mut done = 0;
    for number in 0..fuzz.cases {
        if end.is_some_and(|end| Instant::now() >= end) {
            break;
        }
        let seed = fuzz.seed.wrapping_add(number);
        let case = Case::of(seed);
        let judged = site.judge(&case);
        calls += judged.len();
        done += 1;
        if let Some(problem) = problem(&site, &case, &judged) {
            failed += 1;
            report(&site, &fuzz.folder, seed, case, &problem);
        }
        let longest = judged.iter().map(|call| call.time).max();
        slowest = slowest.max(longest.unwrap_or_default());
        if done % 5_000 == 0 {
            eprintln!(
                "{done} cases, {calls} calls, {failed} failed, slowest {slowest:?} (as it was \
                 measured once), {:.0} s",
                begun.elapsed().as_secs_f64()
            );
        }
    }
    println!(
        "{done} cases from seed {}, {calls} calls, {failed} failed",
        fuzz.seed
    );
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Returns the problem of a case, in a sentence: a fault, or a call that takes too long however
/// often it is tried.
fn problem(site: &Site, case: &Case, judged: &[Call]) -> Option<String> {
    let faulty = judged
        .iter()
        .find_map(|call| Some((call, call.fault.as_ref()?)));
    if let Some((call, fault)) = faulty {
        return Some(format!("{}: {fault}", call.of));
    }
    let late = |calls: &[Call]| calls.iter().position(|call| call.time > LONGEST_CALL);
    late(judged)?;
    let mut fastest: Vec<Call> = judged.to_vec();
    for _ in 0..TRIES {
        for (known, again) in fastest.iter_mut().zip(site.judge(case)) {
            known.time = known.time.min(again.time);
        }
        late(&fastest)?;
    }
    let call = fastest.get(late(&fastest)?)?;
    Some(format!("{} takes {:?}", call.of, call.time))
}

/// Writes a failing case, shrunk, and prints the command to replay it.
fn report(site: &Site, folder: &Path, seed: u64, case: Case, problem: &str) {
    let kind = problem.split(' ').take(4).collect::<Vec<_>>().join(" ");
    let of = case.of.clone();
    let same = |case: &Case| {
        // A breaker must not open meanwhile: an accepted call in between is no fault.
        let judged = site.judge(case);
        let found = self::problem(site, case, &judged);
        site.judge(&Case::of(u64::MAX));
        found.is_some_and(|found| found.starts_with(kind.as_str()))
    };
    let small = match problem.contains(" takes ") {
        // Shrinking a slow case would need many measurements.
        true => case,
        false => shrink(case, same),
    };
    println!("FAILED seed {seed}: {problem}\n  {of}");
    if let Err(error) = std::fs::create_dir_all(folder) {
        println!("  {}: {error}", folder.display());
        return;
    }
    for (number, sent) in small.messages.iter().enumerate() {
        let file = folder.join(format!("{seed}-{number}.eml"));
        match std::fs::write(&file, sent.draft.octets()) {
            Ok(()) => println!(
                "  {} ({:?}, MAIL FROM:<{}>, {} recipients, first <{}>)",
                file.display(),
                sent.flow,
                sent.from,
                sent.to.len(),
                sent.to.first().map_or("", String::as_str)
            ),
            Err(error) => println!("  {}: {error}", file.display()),
        }
    }
    println!("  again: cargo xtask fuzz --cases 1 --seed {seed}");
    if let Some(last) = small.messages.last() {
        println!(
            "  alone: gatepost check --mail-from '{}' --rcpt-to '{}' {}",
            last.from,
            last.to.first().map_or("", String::as_str),
            folder
                .join(format!("{seed}-{}.eml", small.messages.len() - 1))
                .display()
        );
    }
}

/// Writes each inbound message to a file of its own: its envelope as a line of JSON, then its
/// octets.
fn write(folder: &Path, seed: u64, cases: u64) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for number in 0..cases {
        let case = Case::of(seed.wrapping_add(number));
        let messages = case.messages.iter().enumerate();
        for (at, mail) in messages.filter(|(_, mail)| mail.flow == Flow::Inbound) {
            let envelope = serde_json::json!({ "from": mail.from, "to": mail.to });
            let mut octets = format!("{envelope}\n").into_bytes();
            octets.extend_from_slice(&mail.draft.octets());
            std::fs::write(folder.join(format!("{number:08}-{at:04}")), octets)?;
        }
    }
    Ok(())
}
