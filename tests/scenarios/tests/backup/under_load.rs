//! A backup that is made while mail comes in has every message that was answered 250 before it began.
//! The relay is killed then; one on the restored store delivers them, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use test_support::Sink;

use crate::{accepted, backed_up, restored, usual, without_next_hop};

/// Message with a line of its own, and so many others: from 30,000 on, its body has a file.
fn message(name: &str, lines: usize) -> Vec<u8> {
    let head =
        format!("From: Ann <ann@sender.example>\r\nSubject: {name}\r\n\r\nbody of {name}\r\n");
    [head, "and so on\r\n".repeat(lines)].concat().into_bytes()
}

#[test]
fn every_message_accepted_before_is_restored_and_delivered_once() {
    let home = tempfile::tempdir().unwrap();
    let mut relay = without_next_hop().start();
    let mut before = BTreeMap::new();
    for number in 0..40 {
        let lines = [1, 100, 5_000, 40_000][number % 4];
        let name = format!("before{number}");
        let id = accepted(
            &relay,
            &format!("{name}@desk.example"),
            &message(&name, lines),
        );
        before.insert(name, id);
    }

    let to = home.path().join("backup");
    let stop = AtomicBool::new(false);
    let meanwhile = thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                let name = format!("during{number}");
                accepted(
                    &relay,
                    &format!("{name}@desk.example"),
                    &message(&name, 2_000),
                );
                number += 1;
            }
            number
        });
        let complete = backed_up(&relay, &to, &[]);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(complete["state"], "complete", "{complete}");
        assert_eq!(complete["keys"], true, "{complete}");
        load.join().unwrap()
    });
    assert!(meanwhile > 0, "no mail came in while the backup was made");
    relay.kill();

    let directory = home.path().join("second");
    std::fs::create_dir(&directory).unwrap();
    let told = restored(&to, &directory.join("store"), &[]);
    let held: BTreeSet<_> = told[1..]
        .iter()
        .map(|held| held["id"].as_str().unwrap())
        .collect();
    for (name, id) in &before {
        assert!(held.contains(id.as_str()), "{name} is lost");
    }
    assert_eq!(told[0]["recipients"], told.len() - 1);

    let sink = Sink::start();
    let relay = usual(sink.address()).directory(&directory).start();
    let released = relay.json(&["queue", "release", "--all"]);
    assert_eq!(released[0]["changed"], told.len() - 1);
    let mut arrived = BTreeMap::new();
    for _ in 1..told.len() {
        let taken = sink.take();
        let name = taken.header("Subject").unwrap();
        assert_eq!(taken.to, [format!("{name}@desk.example")]);
        assert!(
            taken
                .text()
                .contains(&format!("\r\n\r\nbody of {name}\r\n")),
            "{name}"
        );
        assert!(arrived.insert(name, taken.size).is_none(), "twice");
    }
    for (number, name) in before.keys().enumerate() {
        assert!(arrived.contains_key(name), "{number}: {name}");
    }
    relay.eventually("all is recorded", |relay| {
        let queue = relay.json(&["queue", "list", "--messages"]);
        queue.is_empty().then_some(())
    });
    relay.leaves_nothing(sink);
}
