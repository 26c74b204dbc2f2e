//! A `spool.db` that is emptied beside bodies is not replaced, which would delete them: the relay
//! does not start and says what to do. Put back, all goes on. What in `incoming/` is no body is left
//! alone.

use std::fs;

use test_support::{RelayBuilder, Sink};

use crate::doctor;

#[test]
fn a_lost_database_is_not_replaced() {
    // Nobody listens there: what is accepted stays.
    let nowhere = "127.0.0.1:9".parse().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let builder = RelayBuilder::usual(nowhere).directory(directory.path());
    let mut relay = builder.clone().start();
    let large = [
        &b"From: Ann <ann@sender.example>\r\nSubject: large\r\n\r\n"[..],
        &b"and so on\r\n".repeat(50_000),
    ]
    .concat();
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@sender.example", &["x@desk.example"], &large);
    assert_eq!(reply.unwrap().code, 250);
    drop(client);
    assert!(relay.terminate().success());
    assert_eq!(relay.bodies(), 1);

    let store = directory.path().join("store");
    let stray = store.join("incoming/lost+found");
    fs::create_dir(&stray).unwrap();
    let database = store.join("spool.db");
    let saved = fs::read(&database).unwrap();
    fs::write(&database, "").unwrap();
    let log = match builder.clone().try_start() {
        Ok(_) => panic!("the relay started on an emptied spool.db"),
        Err(log) => log,
    };
    let log: String = log.split_whitespace().collect::<Vec<_>>().join(" ");
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
    relay.json(&["queue", "retry", "--all"]);
    assert!(sink.take().size >= large.len() as u64);
    assert!(stray.is_dir());
}
