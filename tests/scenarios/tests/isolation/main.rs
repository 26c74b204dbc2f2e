//! While hostile guests attack, others are served as before: the 99th percentile of the time to
//! the reply is at most 50 ms over normal.
//!
//! A target of its own with one test, so that no other test disturbs the measurement. Machines
//! that run tests are noisy all the same: a guest is measured up to three times.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use test_support::{Client, Relay, RelayBuilder, Sink, hostile_file, say};

const GUESTS: &[&str] = &[
    "endless_loop",
    "memory_bomb",
    "stack_overflow",
    "trap",
    "huge_answer",
    "header_injection",
    "contradiction",
    "suppress_without_duty",
];

const ATTACKERS: usize = 4;

/// Messages of a measurement.
const MESSAGES: usize = 200;

/// Time that the reply may take longer than without an attack.
const MORE: Duration = Duration::from_millis(50);

const INNOCENT: &[u8] = b"From: <ann@sender.example>\r\nSubject: hello\r\n\r\nHello!\r\n";

/// An attack that no other has been like: one that comes again is not called for again.
fn another_attack() -> Vec<u8> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("From: <mal@sender.example>\r\nX-Attack: {number}\r\n\r\nHello!\r\n").into_bytes()
}

#[test]
fn other_clients_are_served_during_an_attack() {
    let sink = Sink::start();
    let relay = relay(&sink);
    // The first messages pay for what is set up once.
    measure(&relay);
    let mut normal = Duration::MAX;
    for guest in GUESTS {
        let passed = (0..3).any(|_| {
            // The best so far: what disturbed the machine is not normal.
            normal = normal.min(p99(measure(&relay)));
            let (attacked, attacks) = under_attack(&relay, guest);
            let attacked = p99(attacked);
            say(&format!(
                "{guest:21} p99 {normal:7.1?} without, {attacked:7.1?} with {attacks} attacks meanwhile"
            ));
            attacked <= normal + MORE
        });
        assert!(passed, "{guest} holds others up");
    }
}

/// The usual relay, with a listener and a chain of its own for each guest.
fn relay(sink: &Sink) -> Relay {
    let mut builder = RelayBuilder::usual(sink.address()).with("[http]\naddress = \"127.0.0.1:0\"");
    for guest in GUESTS {
        builder = builder.judged_by(guest, &hostile_file(guest), "");
    }
    builder.environment("RUST_LOG", "error").start()
}

/// Sends innocent messages over the usual listener, one after the other; how long each reply to
/// the end of data took.
fn measure(relay: &Relay) -> Vec<Duration> {
    let mut client = relay.client("mx");
    client.ehlo();
    let times = (0..MESSAGES).map(|_| {
        client.command("MAIL FROM:<ann@sender.example>", 250);
        client.command("RCPT TO:<help@desk.example>", 250);
        client.command("DATA", 354);
        let begun = Instant::now();
        client.send([INNOCENT, b".\r\n"].concat()).unwrap();
        client.expect(250);
        begun.elapsed()
    });
    times.collect()
}

/// Measures while attackers hammer; also how many attacks there were.
fn under_attack(relay: &Relay, guest: &str) -> (Vec<Duration>, usize) {
    let over = AtomicBool::new(false);
    let (times, attacks) = thread::scope(|scope| {
        let attackers: Vec<_> = (0..ATTACKERS)
            .map(|_| {
                let (over, client) = (&over, relay.client(guest));
                scope.spawn(move || attack(over, client))
            })
            .collect();
        let times = measure(relay);
        over.store(true, Ordering::Release);
        let attacks = attackers.into_iter().map(|a| a.join().unwrap());
        (times, attacks.sum())
    });
    // Each attack was one: the circuit breaker has not taken the guest out of the way.
    let open = format!("gatepost_policy_breaker_open{{policy=\"{guest}\"}}");
    assert_eq!(relay.metric(&open), Some(0.0), "{guest}");
    (times, attacks)
}

/// Attacks without a pause; how often. One sender's attacks open no circuit breaker: that would end
/// them. An innocent message after each shows that the guest still answers.
fn attack(over: &AtomicBool, mut client: Client) -> usize {
    client.ehlo();
    let mut attacks = 0;
    while !over.load(Ordering::Acquire) {
        for (message, code) in [(another_attack(), 451), (INNOCENT.to_vec(), 250)] {
            let reply = client.deliver("mal@sender.example", &["help@desk.example"], &message);
            assert_eq!(reply.unwrap().code, code);
        }
        attacks += 1;
    }
    attacks
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100 - 1]
}
