//! A store has one relay: a second one on the same store does not start, and the first goes on.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted};

#[test]
fn a_second_relay_does_not_start() {
    let sink = Sink::start();
    let directory = tempfile::tempdir().unwrap();
    let builder = RelayBuilder::usual(sink.address()).directory(directory.path());
    let first = builder.clone().start();
    let log = match builder.try_start() {
        Ok(_) => panic!("there are two relays on one store"),
        Err(log) => log,
    };
    let store = directory.path().join("store").display().to_string();
    assert!(log.contains(&store), "{log}");
    assert!(
        log.contains("in use by another relay: stop that one first"),
        "{log}"
    );

    accepted(&first, &["x@desk.example"], MESSAGE);
    sink.take();
    assert_eq!(first.json(&["policy", "list"]).len(), 3);
    first.leaves_nothing(sink);
}
