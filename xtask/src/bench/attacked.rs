//! Effect on other senders of a policy that uses its whole deadline on some messages.
//!
//! The policy loops for ever on messages with X-Attack, and is cut off at its deadline of 50 ms
//! each time. One sender's attacks do not open the circuit breaker, so every attack takes the whole
//! deadline.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};

use super::Effort;
use super::contender::Contender;
use super::load::{Content, Load, message, send};
use super::report::{Report, progress};
use super::waits::Waits;

/// Shortest time of a whole attack: less than the deadline, which is counted in ticks of a
/// millisecond.
const WHOLE: Duration = Duration::from_millis(45);

/// Attacks so far, of all runs: the relay remembers messages that have failed before.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Octets of a message, about.
const SIZE: usize = 10 << 10;

/// Measures 20 sessions of 10 KiB without and with a session beside them whose messages make the
/// policy loop.
pub fn run(binary: &Path, effort: Effort, report: &mut Report) -> Result<()> {
    progress("a policy that uses its whole deadline");
    let relay = Contender::gatepost_attacked(binary)?;
    let load = Load {
        sessions: 20,
        messages: effort.messages,
        content: Content::Octets(SIZE),
    };
    relay.timed(load)?;
    let (mut alone, mut beside, mut attacking) = <(Waits, Waits, Waits)>::default();
    for _ in 0..effort.runs {
        alone.add(relay.timed(load)?);
        let ((waits, attacks), _) = relay.relay(|| {
            let (waits, attacks) = attacked(relay.address(), load)?;
            let whole = attacks.iter().all(|wait| *wait >= WHOLE);
            ensure!(whole, "an attack was cut short: {attacks:?}");
            let messages = (waits.len() + attacks.len()) as u64;
            Ok(((waits, attacks), messages))
        })?;
        beside.add(waits);
        attacking.add(attacks);
    }
    let rows = [
        ("20 sessions alone".to_owned(), alone.numbers()),
        (
            "20 sessions, another attacking".to_owned(),
            beside.numbers(),
        ),
        ("the attacking session".to_owned(), attacking.numbers()),
    ];
    report.table(
        "To the 250 while a policy uses its whole deadline",
        &Waits::COLUMNS,
        &rows,
    );
    Ok(())
}

/// Sends the load, and beside it attack after attack until it is over; returns the waits of both.
fn attacked(address: SocketAddr, load: Load) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let over = AtomicBool::new(false);
    let attacks = || {
        let mut waits = Vec::new();
        while !over.load(Ordering::Acquire) {
            // Each attack is different: the policy is not called again for a repeated one.
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let attack = message(&format!("X-Attack: {number}\r\n"), SIZE);
            waits.push(send(address, &attack)?);
        }
        Ok(waits)
    };
    thread::scope(|scope| {
        let attacker = scope.spawn(attacks);
        let waits = load.timed(address);
        over.store(true, Ordering::Release);
        let attacks: Result<_> = attacker
            .join()
            .map_err(|_| anyhow!("the attacker panicked"))?;
        Ok((waits?, attacks?))
    })
}
