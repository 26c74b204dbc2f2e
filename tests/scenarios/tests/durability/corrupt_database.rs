//! A page in the middle of `spool.db` is damaged. The running relay logs it, refuses new mail for
//! the time being and goes on; a relay that starts refuses to, and says what to do.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use test_support::{RelayBuilder, Sink};

use crate::{accepted, doctor, refuses_to_start, without_next_hop};

const PAGE: u64 = 4096;

/// Damages every page of a database but the first.
fn damage(database: &Path) {
    let length = fs::metadata(database).unwrap().len();
    assert!(length > PAGE, "it has no other page");
    let file = File::options().write(true).open(database).unwrap();
    let octets = vec![0xa5; (length - PAGE) as usize];
    file.write_all_at(&octets, PAGE).unwrap();
}

#[test]
fn a_corrupt_database_is_reported_and_stops_intake() {
    let directory = tempfile::tempdir().unwrap();
    let builder = without_next_hop(directory.path()).with("[http]\naddress = \"127.0.0.1:0\"");
    let mut relay = builder.clone().start();
    for _ in 0..20 {
        accepted(&relay);
    }
    assert_eq!(relay.json(&["queue", "list", "--messages"]).len(), 20);
    assert!(relay.terminate().success());
    relay.restart();
    let database = directory.path().join("store/spool.db");
    let whole = fs::read(&database).unwrap();
    damage(&database);
    relay.eventually("the damage is met", |relay| {
        let output = relay.command(&["queue", "list"]);
        (!output.status.success()).then_some(())
    });
    let line = relay.logged("the spool's database is damaged");
    assert!(line.contains("ERROR"), "{line}");
    assert!(line.contains("gatepost doctor"), "{line}");
    let metric = relay.metric("gatepost_store_damaged{file=\"spool.db\"}");
    assert_eq!(metric, Some(1.0));
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 451);
    client.command("NOOP", 250);
    let said = relay
        .log()
        .matches("the spool's database is damaged")
        .count();
    assert_eq!(said, 1, "{}", relay.log());
    relay.kill();

    // What was still in memory may have been written over the damage.
    damage(&database);
    let log = refuses_to_start(builder);
    for words in [
        "spool.db cannot be used",
        "backup",
        ".recover",
        "gatepost doctor",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let (code, said) = doctor(&relay);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("spool.db") && said.contains(".recover"),
        "{said}"
    );

    // Put back from a backup, all goes on.
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(directory.path().join(format!("store/spool.db{suffix}")));
    }
    fs::write(&database, whole).unwrap();
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .directory(directory.path())
        .start();
    // It fails where the message has left already.
    relay.command(&["queue", "retry", "--all"]);
    for _ in 0..20 {
        sink.take();
    }
    relay.leaves_nothing(sink);
}
