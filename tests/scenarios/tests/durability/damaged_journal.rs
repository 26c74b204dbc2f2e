//! A journal is garbled or emptied while the relay is down. The log, a metric and `gatepost
//! doctor` report the damage; the relay keeps the damaged file and goes on.

use std::fs;

use test_support::{Relay, RelayBuilder, Sink};

use crate::{accepted, doctor};

/// A relay whose journal is damaged while it is down.
fn damaged_by(damage: impl FnOnce(Vec<u8>) -> Vec<u8>) -> (Relay, Sink) {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address())
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    accepted(&relay);
    sink.take();
    // Else it may be delivered twice, as after any end in the midst of an attempt.
    relay.eventually("the delivery is recorded", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    relay.kill();
    let journal = relay.directory().join("store/journal");
    let (code, said) = doctor(&relay);
    assert!(code < 2, "nothing is damaged yet: {said}");
    let damaged = damage(fs::read(&journal).unwrap());
    fs::write(&journal, &damaged).unwrap();
    let (code, said) = doctor(&relay);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("journal"), "{said}");

    relay.restart();
    relay.logged("the spool's journal is damaged");
    let metric = relay.metric("gatepost_store_damaged{file=\"journal\"}");
    assert_eq!(metric, Some(1.0));
    let store = fs::read_dir(relay.directory().join("store")).unwrap();
    let names = store.map(|entry| entry.unwrap().path());
    let mut kept = names.filter(|path| path.to_string_lossy().contains("journal.damaged-"));
    assert_eq!(fs::read(kept.next().unwrap()).unwrap(), damaged);
    // Kept, and no longer in use.
    let (code, said) = doctor(&relay);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("journal.damaged-"), "{said}");
    accepted(&relay);
    (relay, sink)
}

#[test]
fn a_garbled_journal_is_reported_and_kept() {
    let (relay, sink) = damaged_by(|journal| journal.iter().map(|octet| octet ^ 0x55).collect());
    sink.take();
    relay.leaves_nothing(sink);
}

#[test]
fn an_emptied_journal_is_reported_and_kept() {
    let (relay, sink) = damaged_by(|_| Vec::new());
    sink.take();
    relay.leaves_nothing(sink);
}
