//! Cost of what makes a change of a policy safe: mail that is recorded, a version in the shadow of the
//! active one, each beside a relay without, in turns; and the speed of a comparison on what was
//! recorded.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use test_support::another_version;

use super::Effort;
use super::contender::Contender;
use super::load::{Content, Load};
use super::report::{Number, Report, progress};

/// Policy whose other version is tried.
const POLICY: &str = "loop-guard";

/// Size of a message.
const OCTETS: usize = 10 << 10;

/// Columns of the table of costs.
const COSTS: [&str; 3] = ["accepted/s", "relayed/s", "CPU µs/message"];

/// Columns of the table of comparisons.
const COMPARISONS: [&str; 1] = ["messages/s"];

/// Measures messages of 10 KiB in 20 sessions, and comparisons on at least 10,000 of them.
pub fn run(binary: &Path, effort: Effort, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let other = folder.path().join("other.wasm");
    fs::write(&other, another_version(POLICY))?;
    let record = "[record]\nsize = \"8GiB\"";
    let contenders = [
        ("without", Contender::gatepost(binary)?),
        ("recorded", Contender::gatepost_changed(binary, record)?),
        (
            "recorded with bodies",
            Contender::gatepost_changed(binary, &format!("{record}\nbodies = true"))?,
        ),
        ("with a shadow", Contender::gatepost(binary)?),
    ];
    let shadow = other.to_string_lossy();
    let activate = [
        "policy", "activate", &*shadow, "--name", POLICY, "--shadow", "--budget", "100%",
    ];
    contenders[3].1.command(&activate)?;
    let load = Load {
        sessions: 20,
        messages: effort.messages,
        content: Content::Octets(OCTETS),
    };
    let mut measured = [const { Vec::new() }; 4];
    // The first run warms up.
    for run in 0..=effort.runs {
        for ((name, contender), results) in contenders.iter().zip(&mut measured) {
            let result = contender.measure(load)?;
            let (rate, cost) = (result.accepted, result.cpu);
            progress(&format!(
                "change, run {run}, {name}: {rate:.0} accepted/s, {cost:.0} µs CPU each"
            ));
            if run > 0 {
                results.push(result);
            }
        }
    }
    let rows: Vec<_> = contenders
        .iter()
        .zip(&measured)
        .map(|((name, _), results)| {
            let numbers = vec![
                Number::of(results.iter().map(|of| of.accepted), 0),
                Number::of(results.iter().map(|of| of.relayed), 0),
                Number::of(results.iter().map(|of| of.cpu), 0),
            ];
            ((*name).to_owned(), numbers)
        })
        .collect();
    let mut table = rows.clone();
    for (name, numbers) in rows.iter().skip(1) {
        let plain = rows.first().map_or(&[][..], |(_, numbers)| numbers);
        let ratios = numbers
            .iter()
            .zip(plain)
            .map(|(one, plain)| one.times(plain));
        table.push((format!("{name}: ratio"), ratios.collect()));
    }
    report.table(
        "Mail beside a record and a shadow, 10 KiB, 20 sessions",
        &COSTS,
        &table,
    );

    let messages = effort.messages * (effort.runs as u64 + 1);
    let mut rows = Vec::new();
    for (name, contender) in &contenders[1..3] {
        contender.command(&["policy", "list"])?;
        let mut rates = Vec::new();
        for run in 0..=effort.runs {
            let rate = compared(contender, &other, messages)?;
            progress(&format!(
                "change, run {run}, compared {name}: {rate:.0} messages/s"
            ));
            if run > 0 {
                rates.push(rate);
            }
        }
        rows.push((
            format!("{name}: {messages} messages"),
            vec![Number::of(rates, 0)],
        ));
    }
    report.table(
        "Two versions of the whole chain on recorded mail",
        &COMPARISONS,
        &rows,
    );
    Ok(())
}

/// Compares the two versions on all that was recorded; returns the messages a second, without the time in
/// which the command loads the policies.
fn compared(contender: &Contender, other: &Path, messages: u64) -> Result<f64> {
    let other = other.to_string_lossy();
    let diff = ["policy", "diff", &*other, "--name", POLICY, "--json"];
    let output = contender.command(&diff)?;
    let found: serde_json::Value = serde_json::from_str(&output)?;
    let compared = found.get("compared").and_then(serde_json::Value::as_u64);
    ensure!(
        compared >= Some(messages) && found.get("changed") == Some(&0.into()),
        "not every message was compared, or the same code decides otherwise: {output}"
    );
    let seconds = found.get("seconds").and_then(serde_json::Value::as_f64);
    Ok(messages as f64 / seconds.context("the command does not tell its time")?)
}
