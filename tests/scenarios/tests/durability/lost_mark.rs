//! `journal.synced` and the log of the queue's database are removed after a kill: nobody can tell
//! any more that a hold is lost, and that is told of.

use std::fs;

use test_support::RelayBuilder;

use crate::{accepted, doctor};

#[test]
fn a_lost_mark_is_reported() {
    // Nobody listens there: what is accepted stays.
    let nowhere = "127.0.0.1:9".parse().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let builder = RelayBuilder::usual(nowhere)
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .directory(directory.path());
    let mut relay = builder.clone().start();
    accepted(&relay);
    relay.json(&["queue", "hold", "--all"]);
    relay.kill();
    let store = directory.path().join("store");
    for name in ["journal.synced", "spool.db-wal", "spool.db-shm"] {
        let _ = fs::remove_file(store.join(name));
    }
    let (code, said) = doctor(&relay);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("journal.synced: missing"), "{said}");

    let mut relay = builder.clone().start();
    relay.logged("journal.synced is missing");
    let metric = |relay: &test_support::Relay| {
        relay.metric("gatepost_store_damaged{file=\"journal.synced\"}")
    };
    assert_eq!(metric(&relay), Some(1.0));
    assert!(relay.terminate().success());

    // Stopped in order it has no log, and all is well.
    let (_, said) = doctor(&relay);
    assert!(!said.contains("missing"), "{said}");
    let relay = builder.start();
    assert_eq!(metric(&relay), Some(0.0));
}
