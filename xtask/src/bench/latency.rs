//! Time from a client's end of data to the 250.

use std::path::Path;

use anyhow::Result;

use super::Effort;
use super::contender::Contender;
use super::load::{Content, Load};
use super::report::{Number, Report, progress};
use super::waits::Waits;

/// Measures with 1 and 20 sessions of 10 KiB, by our own load generator.
pub fn run(binary: &Path, other: Option<&Path>, effort: Effort, report: &mut Report) -> Result<()> {
    let mut rows = Vec::new();
    for (name, sessions, share) in [("10 KiB, 1 session", 1, 4), ("10 KiB, 20 sessions", 20, 1)] {
        let load = Load {
            sessions,
            messages: (effort.messages / share).max(20),
            content: Content::Octets(10 << 10),
        };
        rows.extend(compare(binary, other, name, load, effort.runs)?);
    }
    report.table("From the end of data to the 250", &Waits::COLUMNS, &rows);
    Ok(())
}

fn compare(
    binary: &Path,
    other: Option<&Path>,
    name: &str,
    load: Load,
    runs: usize,
) -> Result<Vec<(String, Vec<Number>)>> {
    progress(&format!(
        "latency, {name}: {} messages, {runs} runs",
        load.messages
    ));
    let contenders = Contender::pair(binary, other)?;
    let mut results: Vec<Waits> = contenders.iter().map(|_| Waits::default()).collect();
    // The first run warms up.
    for run in 0..=runs {
        for (contender, result) in contenders.iter().zip(&mut results) {
            let waits = contender.timed(load)?;
            if run > 0 {
                result.add(waits);
            }
        }
    }
    let named = contenders.iter().zip(results);
    let mut rows: Vec<_> = named
        .map(|(contender, result)| {
            let name = format!("{name}: {}", contender.name());
            (name, result.numbers())
        })
        .collect();
    if let [(_, gatepost), (_, postfix)] = &rows[..] {
        let ratios = gatepost
            .iter()
            .zip(postfix)
            .map(|(own, other)| own.times(other))
            .collect();
        rows.push((format!("{name}: ratio"), ratios));
    }
    Ok(rows)
}
