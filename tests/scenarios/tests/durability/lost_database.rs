//! `spool.db` is emptied beside bodies. The relay does not replace it, which would delete them: it
//! does not start and says what to do. With the file back, mail is delivered. A stray directory in
//! `incoming/` is left alone.

use std::fs;

use test_support::{RelayBuilder, Sink};

use crate::{accepted_large, doctor, refuses_to_start, without_next_hop};

#[test]
fn a_lost_database_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let builder = without_next_hop(directory.path());
    let mut relay = builder.clone().start();
    let size = accepted_large(&relay, 50_000, 1);
    assert!(relay.terminate().success());
    assert_eq!(relay.bodies(), 1);

    let store = directory.path().join("store");
    let stray = store.join("incoming/lost+found");
    fs::create_dir(&stray).unwrap();
    let database = store.join("spool.db");
    let saved = fs::read(&database).unwrap();
    fs::write(&database, "").unwrap();
    let log = refuses_to_start(builder);
    assert!(log.contains("is empty, but beside it there"), "{log}");
    assert!(log.contains("put spool.db back from a backup"), "{log}");
    assert_eq!(relay.bodies(), 2, "the body and the stray directory");
    let (code, said) = doctor(&relay);
    assert_eq!(code, 2, "{said}");

    fs::write(&database, saved).unwrap();
    let sink = Sink::start();
    relay = RelayBuilder::usual(sink.address())
        .directory(directory.path())
        .start();
    relay.logged("this is no body of a message");
    // It fails where the message has left already.
    relay.command(&["queue", "retry", "--all"]);
    assert!(sink.take().size >= size);
    assert!(stray.is_dir());
}
