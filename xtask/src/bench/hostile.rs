//! Effect of one session's hostile mail on the others' wait for their 250.
//!
//! The hostile messages are the inbound ones of the suite for policies (`tests/hostile`). They are
//! compared with harmless mail of the same sizes from one session, since any mail of a neighbour
//! takes a share of the processors.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};

use super::Effort;
use super::contender::Contender;
use super::load::{Content, EnvelopedMessage, Load, message, offer};
use super::report::{Number, Report, progress};
use super::waits::Waits;

/// Number of cases whose messages are sent.
const CASES: u64 = 2_000;

/// Bytes of each message of the other sessions, about.
const SIZE: usize = 10 << 10;

/// Measures 20 sessions of 10 KiB alone, beside harmless mail and beside hostile mail.
pub fn run(binary: &Path, effort: Effort, report: &mut Report) -> Result<()> {
    progress("hostile mail");
    let hostile = hostile_messages()?;
    let harmless = hostile.iter().map(|mail| EnvelopedMessage {
        message: message("", mail.message.len()),
        ..mail.clone()
    });
    let harmless: Vec<_> = harmless.collect();
    let relay = Contender::gatepost(binary)?;
    let load = Load {
        sessions: 20,
        messages: effort.messages,
        content: Content::Octets(SIZE),
    };
    let address = relay.address();
    load.timed(address)?;
    let (mut alone, mut beside, mut attacked) = <(Waits, Waits, Waits)>::default();
    let (mut sent, mut sent_hostile) = (Vec::new(), Vec::new());
    for _ in 0..effort.runs {
        alone.add(load.timed(address)?);
        let (waits, messages) = beside_messages(address, load, &harmless)?;
        beside.add(waits);
        sent.push(messages as f64);
        let (waits, messages) = beside_messages(address, load, &hostile)?;
        attacked.add(waits);
        sent_hostile.push(messages as f64);
    }
    let row = |waits: Waits, sent: Vec<f64>| {
        let mut numbers = waits.numbers();
        numbers.push(Number::of(sent, 0));
        numbers
    };
    let rows = [
        ("20 sessions alone".to_owned(), row(alone, Vec::new())),
        ("beside harmless mail".to_owned(), row(beside, sent)),
        (
            "beside hostile mail".to_owned(),
            row(attacked, sent_hostile),
        ),
    ];
    let [p50, p99] = Waits::COLUMNS;
    report.table(
        "To the 250 while another session sends mail of the same sizes",
        &[p50, p99, "letters beside"],
        &rows,
    );
    Ok(())
}

/// Returns the inbound messages of the suite's generator, a program of its own.
fn hostile_messages() -> Result<Vec<EnvelopedMessage>> {
    let folder = std::env::temp_dir().join(format!("gatepost-hostile-{}", std::process::id()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(test_support::workspace())
        .args(["run", "--quiet", "--locked", "--package=hostile-mail"])
        .args(["--bin=fuzz-policies", "--", "--cases", &CASES.to_string()])
        .arg("--write")
        .arg(&folder)
        .status()
        .context("cargo does not start")?;
    ensure!(status.success(), "the generator of hostile mail has failed");
    let read = || -> Result<Vec<EnvelopedMessage>> {
        let mut files: Vec<_> = fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
        files.sort_by_key(fs::DirEntry::path);
        let read = files
            .iter()
            .map(|file| EnvelopedMessage::read(&file.path()));
        read.collect()
    };
    let messages = read();
    let _ = fs::remove_dir_all(&folder);
    let messages = messages?;
    ensure!(
        !messages.is_empty(),
        "the generator has written no messages"
    );
    Ok(messages)
}

/// Sends the load, and beside it message after message until it is over; returns the waits of the
/// load, and the number of messages beside it.
fn beside_messages(
    address: SocketAddr,
    load: Load,
    messages: &[EnvelopedMessage],
) -> Result<(Vec<Duration>, usize)> {
    let over = AtomicBool::new(false);
    let beside = || {
        let mut sent = 0;
        for mail in messages.iter().cycle() {
            if over.load(Ordering::Acquire) {
                break;
            }
            offer(address, mail)?;
            sent += 1;
        }
        Ok(sent)
    };
    thread::scope(|scope| {
        let neighbour = scope.spawn(beside);
        let waits = load.timed(address);
        over.store(true, Ordering::Release);
        let sent: Result<_> = neighbour
            .join()
            .map_err(|_| anyhow!("the neighbour panicked"))?;
        Ok((waits?, sent?))
    })
}
