//! Mail that leaves, by Gatepost and by Postfix: through a smart host with TLS and AUTH, by MX to
//! one domain and to many, beside mail that waits for a dead host, and the mail of a small account
//! beside that of a busy one.
//!
//! The queue is filled while nothing leaves, and then released. What is measured lies between the
//! first arrival at the other server and the last, so accepting and starting are not in it.

mod cases;
mod peer;
mod relays;
mod waiting;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

use self::cases::{NameService, WayOut};
use self::peer::{Manner, Peer, SMALL};
use self::relays::Outbound;
use self::waiting::{Domains, WaitingMail};
use super::Effort;
use super::load::{EnvelopedMessage, message, offer};
use super::report::{Number, Report, progress};

/// Time without an arrival after which the missing messages count as lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time for a relay to record what it has delivered, before its CPU time is read.
const SETTLING: Duration = Duration::from_millis(500);

/// Most messages that wait in Postfix: as many as its queue manager holds at a time
/// (`qmgr_message_active_limit`), and it takes a second for each thousand to accept them.
const MOST_IN_POSTFIX: u64 = 20_000;

/// Time that the slow server takes over a message.
const SLOWNESS: Duration = Duration::from_millis(100);

/// Messages that the small account sends.
const FEW: u64 = 10;

/// Columns of the first table.
const COLUMNS: [&str; 4] = [
    "leaving/s",
    "CPU µs/message",
    "memory MiB",
    "messages/connection",
];

/// Cost of one release of a queue.
#[derive(Debug, Clone, Copy)]
struct Left {
    /// Messages a second.
    rate: f64,
    /// CPU time of a message, in microseconds.
    cpu: f64,
    /// Memory afterwards, in bytes.
    memory: u64,
    /// Messages on one connection.
    reuse: f64,
}

/// Part of the measurement of outbound mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// Through a smart host with TLS and AUTH.
    SmartHost,
    /// Mail by MX to one domain.
    OneDomain,
    /// Mail by MX to a hundred domains.
    HundredDomains,
    /// Mail by MX to ten thousand domains.
    ManyDomains,
    /// Beside mail for a dead host.
    Dead,
    /// A small account beside a busy one.
    SmallAccount,
}

/// Measures these cases, or all if none is named, with so many messages for a dead host.
pub fn run(
    binary: &Path,
    (effort, cases): (Effort, &[Case]),
    dead: u64,
    report: &mut Report,
) -> Result<()> {
    let wanted = |case: Case| cases.is_empty() || cases.contains(&case);
    let network = NameService::start(if effort.runs > 1 { 10_000 } else { 1000 })?;
    let ways = [
        (Case::SmartHost, WayOut::SmartHost),
        (Case::OneDomain, WayOut::Mx(1)),
        (Case::HundredDomains, WayOut::Mx(100)),
        (Case::ManyDomains, WayOut::Mx(network.domains)),
    ];
    let mut rows = Vec::new();
    for (_, way) in ways.into_iter().filter(|(case, _)| wanted(*case)) {
        rows.extend(leaving(binary, &network, way, effort)?);
    }
    if !rows.is_empty() {
        report.table("Outbound, beside Postfix", &COLUMNS, &rows);
    }
    if wanted(Case::Dead) {
        let mut rows = Vec::new();
        for domains in [1, 100] {
            rows.extend(beside_the_dead(binary, &network, domains, effort, dead)?);
        }
        let columns = [
            "alone/s",
            "beside the dead/s",
            "of it %",
            "bytes a dead one",
        ];
        report.table("Beside mail for a dead host", &columns, &rows);
    }
    if wanted(Case::SmallAccount) {
        let rows = small_account(binary, dead.div_ceil(10))?;
        let columns = ["s until ten have left", "waiting before them"];
        report.table("A small account beside a busy one", &columns, &rows);
    }
    Ok(())
}

/// Measures one way out, in turns.
fn leaving(
    binary: &Path,
    network: &NameService,
    way: WayOut,
    effort: Effort,
) -> Result<Vec<(String, Vec<Number>)>> {
    let domains = Domains::Numbered(way.domains());
    let waiting = WaitingMail::new(effort.messages.max(way.domains()), domains);
    let peer = way.peer(network)?;
    let mut results: Vec<(&str, Vec<Left>)> = Vec::new();
    let postfix = way.postfix(network, &peer);
    let mut postfix = postfix.map(|postfix| (postfix, Vec::new()));
    let mut own = Vec::new();
    for run in 1..=effort.runs {
        let mut gatepost = way.gatepost(binary, network, &peer)?;
        own.push(release(&mut gatepost, &peer, waiting)?);
        progress(&format!("{way}, run {run}, Gatepost: {:?}", own.last()));
        if let Some((postfix, runs)) = &mut postfix {
            runs.push(release(postfix, &peer, waiting)?);
            progress(&format!("{way}, run {run}, Postfix: {:?}", runs.last()));
        }
    }
    results.push(("Gatepost", own));
    results.extend(postfix.map(|(_, runs)| ("Postfix", runs)));
    let mut rows: Vec<_> = results
        .iter()
        .map(|(who, runs)| (format!("{way}: {who}"), numbers(runs)))
        .collect();
    if let [(_, gatepost), (_, postfix)] = &rows[..] {
        let both = gatepost.iter().zip(postfix);
        let ratio = both.map(|(own, other)| own.times(other)).collect();
        rows.push((format!("{way}: ratio"), ratio));
    }
    Ok(rows)
}

fn numbers(runs: &[Left]) -> Vec<Number> {
    let of = |what: fn(&Left) -> f64, decimals| Number::of(runs.iter().map(what), decimals);
    vec![
        of(|left| left.rate, 0),
        of(|left| left.cpu, 0),
        of(|left| left.memory as f64 / f64::from(1 << 20), 0),
        of(|left| left.reuse, 1),
    ]
}

/// Fills a relay's queue, releases it, and waits until exactly these messages have come.
fn release(relay: &mut Outbound, peer: &Peer, waiting: WaitingMail) -> Result<Left> {
    let before = peer.arrivals().count;
    relay.fill(waiting)?;
    let early = peer.arrivals().count;
    ensure!(
        early == before,
        "{} sends before it is released",
        relay.name()
    );
    peer.forget();
    relay.release();
    let tree = relay.tree();
    peer.wait(PATIENCE, |come| come.count > 0)
        .with_context(|| format!("{} sends nothing", relay.name()))?;
    let cpu = tree.cpu();
    let come = peer.wait(PATIENCE, |come| come.count >= waiting.messages)?;
    thread::sleep(SETTLING);
    let used = tree.cpu() - cpu;
    let all = peer.arrivals();
    let (name, wanted) = (relay.name(), waiting.messages);
    ensure!(
        all.count == wanted,
        "{name}: {} messages came, and not {wanted}",
        all.count
    );
    Ok(Left {
        rate: (wanted - 1) as f64 / come.time().as_secs_f64(),
        cpu: used.as_secs_f64() * 1e6 / wanted as f64,
        memory: tree.memory(),
        reuse: wanted as f64 / all.sessions.max(1) as f64,
    })
}

/// Measures mail by MX alone, and beside messages that wait for a dead host, in each relay.
fn beside_the_dead(
    binary: &Path,
    network: &NameService,
    domains: u64,
    effort: Effort,
    dead: u64,
) -> Result<Vec<(String, Vec<Number>)>> {
    let way = WayOut::Mx(domains);
    let peer = way.peer(network)?;
    let living = WaitingMail::new(effort.messages, Domains::Numbered(domains));
    let mut rows = Vec::new();
    let pairs = [
        (
            Some([
                way.gatepost(binary, network, &peer)?,
                way.gatepost(binary, network, &peer)?,
            ]),
            dead,
        ),
        (
            way.postfix(network, &peer)
                .zip(way.postfix(network, &peer))
                .map(Into::into),
            dead.min(MOST_IN_POSTFIX),
        ),
    ];
    for (pair, dead) in pairs {
        let Some([mut alone, mut beside]) = pair else {
            continue;
        };
        let name = alone.name();
        progress(&format!("{way}: {dead} messages for a dead host in {name}"));
        let mut waiting = WaitingMail::new(dead, Domains::Dead);
        waiting.size = 2 << 10;
        beside.fill(waiting)?;
        beside.release();
        // Until each has been routed, and found its server dead or its destination closed.
        beside.rest()?;
        let mut runs: [Vec<Left>; 2] = Default::default();
        for run in 1..=effort.runs {
            runs[0].push(release(&mut alone, &peer, living)?);
            runs[1].push(release(&mut beside, &peer, living)?);
            progress(&format!(
                "{way}, {name}, run {run}: {:?}",
                runs.each_ref().map(|r| r.last())
            ));
        }
        let rates = runs
            .each_ref()
            .map(|runs| Number::of(runs.iter().map(|left| left.rate), 0));
        let shares = runs[0].iter().zip(&runs[1]);
        let shares = shares.map(|(alone, beside)| 100.0 * beside.rate / alone.rate);
        let memory = runs[0]
            .iter()
            .zip(&runs[1])
            .map(|(alone, beside)| beside.memory.saturating_sub(alone.memory) as f64 / dead as f64);
        let row = vec![
            rates[0],
            rates[1],
            Number::of(shares, 1),
            Number::of(memory, 0),
        ];
        rows.push((format!("{way}, {dead} dead: {name}"), row));
    }
    Ok(rows)
}

/// Measures how long ten messages of one account wait behind those of another, for a server that is
/// slow.
fn small_account(binary: &Path, busy: u64) -> Result<Vec<(String, Vec<Number>)>> {
    let peer = Peer::start(&Manner {
        delay: SLOWNESS,
        ..Manner::default()
    })?;
    let mut rows = Vec::new();
    let gatepost = cases::to_one(binary, peer.address())?;
    let postfix = cases::postfix_to_one(peer.address());
    for (relay, busy) in [(Some(gatepost), busy), (postfix, busy.min(MOST_IN_POSTFIX))] {
        let Some(mut relay) = relay else { continue };
        progress(&format!("ten messages beside {busy} in {}", relay.name()));
        relay.fill(WaitingMail::new(busy, Domains::Numbered(1)))?;
        peer.forget();
        relay.release();
        peer.wait(PATIENCE, |come| come.count >= busy.min(100))?;
        let to = relay.address().context("the relay does not run")?;
        let mail = EnvelopedMessage {
            from: SMALL.to_owned(),
            to: vec!["help@small.example".to_owned()],
            message: message("", 2 << 10),
        };
        let begun = Instant::now();
        let before = busy.saturating_sub(peer.arrivals().count);
        for _ in 0..FEW {
            offer(to, &mail)?;
        }
        let come = peer.wait(PATIENCE, |come| come.small >= FEW)?;
        ensure!(come.small == FEW, "{} came, and not ten", come.small);
        let time = Number::of([begun.elapsed().as_secs_f64()], 2);
        let row = vec![time, Number::of([before as f64], 0)];
        rows.push((format!("beside {busy}: {}", relay.name()), row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postfix_keeps_its_queue_until_it_is_released() -> Result<()> {
        let network = NameService::start(3)?;
        for way in [WayOut::SmartHost, WayOut::Mx(3)] {
            let peer = way.peer(&network)?;
            let Some(mut postfix) = way.postfix(&network, &peer) else {
                continue;
            };
            for messages in [20, 30] {
                let waiting = WaitingMail::new(messages, Domains::Numbered(way.domains()));
                let left = release(&mut postfix, &peer, waiting)?;
                assert!(left.rate > 0.0 && left.cpu > 0.0, "{way}: {left:?}");
            }
        }
        Ok(())
    }
}
