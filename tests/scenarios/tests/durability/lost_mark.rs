//! `journal.synced` and the log of the queue's database are removed after a kill. The relay cannot
//! know whether a hold is lost, and reports that.

use std::fs;

use crate::{accepted, doctor, without_next_hop};

#[test]
fn a_lost_mark_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let builder = without_next_hop(directory.path()).with("[http]\naddress = \"127.0.0.1:0\"");
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
