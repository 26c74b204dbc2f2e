//! The demonstration: a real relay, two sinks behind it, and the fixture messages sent through.

use std::io::Write as _;

use anyhow::{Result, bail};
use comfy_table::{ContentArrangement, Table, presets};
use test_support::{FixtureRelay, SentCase, chain_cases};

/// Sends every fixture, waits for its delivery, prints the table, and fails if any result differs
/// from the expected one.
pub fn run() -> Result<()> {
    eprintln!("== starting the relay and two sinks, application and smarthost");
    let relay = FixtureRelay::start();
    let cases = chain_cases();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(150);
    table.set_header([
        "message",
        "what the policies said",
        "reply",
        "where it went",
    ]);
    let mut surprises = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        eprint!("\r== sending {} of {} … ", index + 1, cases.len());
        std::io::stderr().flush()?;
        let sent = relay.send(case)?;
        table.add_row([
            format!("{}\n{}", case.name, case.fixture.shows),
            said(&sent).join("\n"),
            format!("{} {}", sent.reply.code, sent.reply.text()),
            arrival(&sent),
        ]);
        let of_case = sent.surprises.iter();
        surprises.extend(of_case.map(|surprise| format!("{}: {surprise}", case.name)));
    }
    eprintln!("done");
    println!("{table}");
    if surprises.is_empty() {
        println!("All {} messages had the expected disposition.", cases.len());
        return Ok(());
    }
    for surprise in &surprises {
        eprintln!("UNEXPECTED {surprise}");
    }
    bail!(
        "{} of the demonstration's expectations were not met",
        surprises.len()
    )
}

/// Returns lines such as `loop-guard (message): reject — 101 Received fields, and the limit is
/// 100`. Calls for several recipients that say the same have one.
fn said(sent: &SentCase) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for call in &sent.judgements {
        let mut line = format!("{} ({}): {}", call.policy, call.hook, call.verdict.word());
        if !call.decision.reasons.is_empty() {
            line += &format!(" — {}", call.decision.reasons.join("; "));
        }
        if !said.contains(&line) {
            said.push(line);
        }
    }
    said
}

fn arrival(sent: &SentCase) -> String {
    match &sent.arrived {
        Some((hop, taken)) => format!("{hop}: {}", taken.to.join(", ")),
        None => "nowhere".into(),
    }
}
