//! Cost of a million messages that wait for one dead destination: to the throughput of the living
//! ones, in memory, and when the store is opened. `cargo bench -p gatepost-spool --bench
//! dead_million`, with another number as its argument if wanted.

#![allow(clippy::unwrap_used)] // what is measured is known

#[path = "../tests/behaviour/common/mod.rs"]
mod common;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use common::{LEASE, START, delivered, message, open, report, route, wait};
use gatepost_message::{Millis, TransactionId};
use gatepost_spool::{Owner, Pace, Queue as _, SqliteSpool};
use rusqlite::Connection;

/// Messages of one round.
const ROUND: usize = 2000;

/// Rounds of each store, taken in turns.
const ROUNDS: usize = 15;

/// Messages in hand at a time.
const IN_HAND: usize = 100;

fn main() {
    let dead = std::env::args().find_map(|argument| argument.parse().ok());
    let dead = dead.unwrap_or(1_000_000);
    let (without, with) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(open(with.path()));
    fill(with.path(), dead);

    let alone = open(without.path());
    let before = resident();
    let started = Instant::now();
    let beside = open(with.path());
    let opened = started.elapsed();
    let memory = resident().saturating_sub(before);
    let closed = Pace {
        in_hand: 1,
        not_before: Millis(u64::MAX),
    };
    beside.set_pace(&route("dead.example").destination.key(), closed);

    compare(
        "claimed from the database",
        dead,
        [&alone, &beside],
        Owner::new(),
    );
    let owner = Owner::new();
    alone.attach(owner, LEASE);
    beside.attach(owner, LEASE);
    compare(
        "handed off as they were accepted",
        dead,
        [&alone, &beside],
        owner,
    );
    println!(
        "memory of a waiting message: {} octets",
        memory / dead as u64
    );
    println!("opened in {opened:?}");
}

/// Delivers from both stores in turns, and prints how many messages each has done.
fn compare(what: &str, dead: usize, stores: [&SqliteSpool; 2], owner: Owner) {
    // The first round fills caches.
    let rounds: Vec<_> = (0..=ROUNDS)
        .map(|_| stores.map(|spool| deliver(spool, owner)))
        .skip(1)
        .collect();
    println!("{what}, messages in a second:");
    for (of, time) in ["wall", "CPU"].into_iter().enumerate() {
        let [alone, beside] = [0, 1].map(|store: usize| {
            let took = rounds.iter().map(|round| round[store][of].as_secs_f64());
            ROUND as f64 / median(took)
        });
        let ratios = rounds
            .iter()
            .map(|[alone, beside]| alone[of].div_duration_f64(beside[of]));
        let ratio = median(ratios);
        println!("  {time}: {alone:.0} beside nothing, {beside:.0} beside {dead} dead: {ratio:.3}");
    }
}

/// Accepts messages by the batch, and measures claims, entries and results: wall time and CPU
/// time.
fn deliver(spool: &SqliteSpool, owner: Owner) -> [Duration; 2] {
    let (mut wall, mut used) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUND / IN_HAND {
        let tickets: Vec<_> = (0..IN_HAND)
            .map(|number| {
                let to = format!("help@desk{}.example", number % 10);
                spool.accept(message(TransactionId::new(), &[&to]))
            })
            .collect();
        tickets.into_iter().for_each(|ticket| wait(ticket).unwrap());
        let (started, used_before) = (Instant::now(), cpu());
        let claims = wait(spool.claim(owner, START, IN_HAND, LEASE)).unwrap();
        assert_eq!(claims.len(), IN_HAND);
        let tickets: Vec<_> = claims
            .iter()
            .map(|claim| {
                let to = route(claim.recipients[0].address.domain())
                    .destination
                    .key();
                assert!(spool.enter(claim.transaction.id, claim.lease, &[0], &to));
                spool.record(report(claim, &delivered()))
            })
            .collect();
        for ticket in tickets {
            assert!(wait(ticket).unwrap().finished);
        }
        wall += started.elapsed();
        used += cpu() - used_before;
    }
    [wall, used]
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the CPU time of all threads of this process.
fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let nanos = tasks.map(|task| {
        let statistics = task.unwrap().path().join("schedstat");
        let statistics = std::fs::read_to_string(statistics).unwrap();
        let nanos = statistics.split(' ').next().unwrap();
        nanos.parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanos.sum())
}

/// Writes messages with a route to a dead destination, as many deferrals would leave them.
fn fill(directory: &Path, count: usize) {
    let mut database = Connection::open(directory.join("spool.db")).unwrap();
    let transaction = database.transaction().unwrap();
    let route = route("dead.example");
    let route_json = serde_json::to_string(&route).unwrap();
    let sample = message(TransactionId::new(), &["bob@dead.example"]);
    let session = serde_json::to_string(&sample.transaction.session).unwrap();
    let mut messages = transaction
        .prepare(
            "INSERT INTO messages (number, id, account, reverse_path, began_at, received_at,
                expires_at, tags_json, size)
             VALUES (?1, ?2, 'acme', 'alice@sender.example', ?3, ?3, ?4, '[]', 26)",
        )
        .unwrap();
    let mut contents = transaction
        .prepare(
            "INSERT INTO contents (message, session_json, judgements_json, head, body)
             VALUES (?1, ?2, '[]', ?3, CAST('Hello.' || char(13, 10) AS BLOB))",
        )
        .unwrap();
    let mut recipients = transaction
        .prepare(
            "INSERT INTO recipients (message, number, address, state, due, attempts, last_attempt,
                last_reply_json, destination, route_json)
             VALUES (?1, 0, 'bob@dead.example', 'queued', ?2, 3, ?2,
                '{\"code\":421,\"enhanced\":\"4.4.1\",\"lines\":[\"no connection\"]}', ?3, ?4)",
        )
        .unwrap();
    let (now, expires) = (START.0 as i64, sample.expires_at.0 as i64);
    let key = route.destination.to_string();
    for number in 1..=count as i64 {
        let id = TransactionId::new().to_string();
        messages.execute((number, id, now, expires)).unwrap();
        contents
            .execute((number, &session, &sample.head[..]))
            .unwrap();
        let row = (number, now + number % 1000, &key, &route_json);
        recipients.execute(row).unwrap();
    }
    drop((messages, contents, recipients));
    transaction.commit().unwrap();
}

/// Returns the resident memory of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse::<u64>().unwrap() << 10
}
