//! Cost of events: submitted mail with metadata, with events recorded and without, in turns.

use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result, ensure};
use test_support::Client;

use super::Effort;
use super::contender::Contender;
use super::report::{Number, Report, progress};

/// Sessions at a time. Each logs in once, and submits one message after another.
const SESSIONS: u64 = 20;

/// Columns of the table.
const COLUMNS: [&str; 2] = ["relayed/s", "CPU µs/message"];

/// Measures messages of 10 KiB in 20 sessions.
pub fn run(binary: &Path, effort: Effort, report: &mut Report) -> Result<()> {
    let each = (effort.messages / SESSIONS).max(1);
    let contenders = [
        ("with events", Contender::gatepost_submitting(binary, true)?),
        ("without", Contender::gatepost_submitting(binary, false)?),
    ];
    let mut measured = [const { (Vec::new(), Vec::new()) }; 2];
    // The first run warms up.
    for run in 0..=effort.runs {
        for ((name, contender), (rates, costs)) in contenders.iter().zip(&mut measured) {
            let before = contender.tree().cpu();
            let messages = each * SESSIONS;
            let send = || submit(contender, each).map(|()| ((), messages));
            let ((), time) = contender.relay(send)?;
            let cpu = contender.tree().cpu() - before;
            let rate = messages as f64 / time.as_secs_f64();
            let cost = cpu.as_secs_f64() * 1e6 / messages as f64;
            progress(&format!(
                "events, run {run}, {name}: {rate:.0} relayed/s, {cost:.0} µs CPU each"
            ));
            if run > 0 {
                rates.push(rate);
                costs.push(cost);
            }
        }
    }
    let rows = contenders.iter().zip(measured);
    let mut rows: Vec<_> = rows
        .map(|((name, _), (rates, costs))| {
            let numbers = vec![Number::of(rates, 0), Number::of(costs, 0)];
            (format!("10 KiB, 20 sessions: {name}"), numbers)
        })
        .collect();
    if let [(_, with), (_, without)] = &rows[..] {
        let ratios = with
            .iter()
            .zip(without)
            .map(|(one, other)| one.times(other));
        let ratios = ratios.collect();
        rows.push(("10 KiB, 20 sessions: ratio".to_owned(), ratios));
    }
    report.table("Events of submitted mail", &COLUMNS, &rows);
    Ok(())
}

/// Submits so many messages in each session.
fn submit(contender: &Contender, each: u64) -> Result<()> {
    let address = contender.address();
    let session = || {
        let mut client = Client::greeted(address).authenticated("user", "secret");
        for number in 0..each {
            let message = message(number);
            let reply = client.deliver("ann@desk.example", &["bob@b.example"], &message)?;
            ensure!(reply.code == 250, "{}", reply.text());
        }
        anyhow::Ok(())
    };
    thread::scope(|scope| {
        let sessions: Vec<_> = (0..SESSIONS).map(|_| scope.spawn(session)).collect();
        let mut ends = sessions.into_iter().map(|session| session.join());
        ends.try_for_each(|end| end.ok().context("a session panicked")?)
    })
}

fn message(number: u64) -> Vec<u8> {
    let mut message = format!(
        "From: <ann@desk.example>\r\nTo: <bob@b.example>\r\n\
         Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <{number}@desk.example>\r\n\
         Subject: performance\r\nX-Gatepost-Metadata: {{\"ticket\": {number}, \"comment\": 1}}\r\n\r\n"
    )
    .into_bytes();
    while message.len() < 10 << 10 {
        message.extend_from_slice(&[b'X'; 78]);
        message.extend_from_slice(b"\r\n");
    }
    message
}
