//! Kills a relay at random moments under load and checks what it had promised.
//!
//! Every message that got a 250 must afterwards be delivered, once or more, with the octets that
//! were sent. Messages that were delivered more than once are counted and reported: after a crash
//! the relay cannot know whether the next hop's 250 was on its way.
//!
//! `kill -9` keeps what the kernel has in its caches, so there is a second way to crash
//! ([`power`]): only what was fsynced survives.
//!
//! Submissions over HTTP have a torture of their own ([`submissions`]), since a request may be repeated
//! under its key, and a webhook is told of what becomes of them.

mod load;
pub mod power;
pub mod submissions;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::{PATIENCE, Relay, RelayBuilder, Sink};
use load::Load;
pub use power::PowerLoss;

/// Number of clients that send at once.
const CLIENTS: usize = 8;

/// Result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Seed of the moments.
    pub seed: u64,
    /// Number of crashes.
    pub rounds: u32,
    /// Messages that got a 250.
    pub accepted: usize,
    /// Accepted messages that never arrived, or arrived with other octets.
    pub lost: usize,
    /// Deliveries beyond the first of a message.
    pub duplicates: usize,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            rounds,
            accepted,
            lost,
            duplicates,
        } = self;
        write!(
            formatter,
            "seed {seed}: {rounds} deaths, {accepted} accepted, {lost} lost, {duplicates} duplicates"
        )
    }
}

/// Crashes `rounds` times by `kill -9`, with deliveries going on.
pub fn run(rounds: u32, seed: u64, progress: impl Fn(&str)) -> Outcome {
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address()).directory(directory.path());
    let mut relay = builder.start();
    let accepted = die(&mut relay, rounds, seed, &progress, |_| {});
    settle(seed, rounds, &accepted, &sink, &relay, &progress)
}

/// Crashes `rounds` times by loss of power. Nothing is delivered before the last crash, so that
/// everything accepted has to be found again.
pub fn run_power_loss(
    rounds: u32,
    seed: u64,
    power: &PowerLoss,
    progress: impl Fn(&str),
) -> Outcome {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address()).directory(power.directory());
    // Nothing listens there: every attempt is deferred.
    let route = format!("port = {}", sink.address().port());
    let unreachable = power.under(builder.clone().replace(&route, "port = 1"));
    let accepted = match unreachable.try_start() {
        Ok(mut relay) => die(&mut relay, rounds, seed, &progress, |_| power.strike()),
        Err(log) => panic!("the relay does not start:\n{log}"),
    };
    let relay = builder.start();
    settle(seed, rounds, &accepted, &sink, &relay, &progress)
}

/// Loads the relay and crashes it after a random number of acknowledgements, again and again;
/// returns the names of the acknowledged messages.
fn die(
    relay: &mut Relay,
    rounds: u32,
    seed: u64,
    progress: impl Fn(&str),
    dead: impl Fn(&Path),
) -> BTreeSet<String> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut accepted = BTreeSet::new();
    for round in 1..=rounds {
        let load = Load::start(relay.address("mx"), round, CLIENTS);
        let target = random.random_range(1..80);
        for _ in 0..target {
            match load.acknowledged() {
                Some(name) => accepted.insert(name),
                None => panic!("nobody is served:\n{}", relay.log()),
            };
        }
        wait_within_commits(&mut random);
        relay.kill();
        accepted.extend(load.finish());
        dead(relay.directory());
        progress(&format!(
            "death {round} of {rounds}: {} accepted so far",
            accepted.len()
        ));
        relay.restart();
    }
    accepted
}

/// Waits for a random moment within the next commits, so that a death is not just after one.
fn wait_within_commits(random: &mut StdRng) {
    let moment = Instant::now();
    let until = random.random_range(0..8_000);
    while moment.elapsed().as_micros() < until {
        std::hint::spin_loop();
    }
}

/// Waits until everything that was accepted has come to the sink, or nothing more comes.
fn settle(
    seed: u64,
    rounds: u32,
    accepted: &BTreeSet<String>,
    sink: &Sink,
    relay: &Relay,
    progress: impl Fn(&str),
) -> Outcome {
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    let mut missing = accepted.clone();
    while !missing.is_empty() {
        // Once the queue is empty and the sink silent, missing messages are lost.
        let Some(taken) = sink.take_within(PATIENCE / 6) else {
            if relay.json(&["queue", "list", "--messages"]).is_empty() {
                break;
            }
            continue;
        };
        match load::whole(&taken.bytes()) {
            Some(name) => {
                missing.remove(&name);
                *arrived.entry(name).or_default() += 1;
            }
            None => progress("a message arrived with other octets than were sent"),
        }
    }
    Outcome {
        seed,
        rounds,
        accepted: accepted.len(),
        lost: missing.len(),
        duplicates: arrived.values().map(|count| count - 1).sum(),
    }
}
