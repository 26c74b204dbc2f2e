//! An account is resumed while no relay runs. Its mail goes after the next start, even if the
//! command ended between the directory and the queue.

use test_support::Sink;

use crate::{Credential, account, builder};

#[test]
fn mail_of_an_account_that_was_resumed_without_a_relay_goes() {
    let sink = Sink::start();
    let port = format!("port = {}", sink.address().port());
    let nowhere = builder(&sink).replace(&port, "port = 1");
    let mut relay = nowhere.start();
    account(&relay, "acme.desk.test");
    let own = Credential::issue(&relay, "acme.desk.test");
    let id = own.submit(&relay, "a@world.example").transaction();
    relay.json(&["account", "suspend", "acme.desk.test"]);
    relay.eventually("it is held", |relay| {
        let shown = relay.json(&["queue", "show", &id]);
        (shown[0]["recipients"][0]["status"] == "held").then_some(())
    });
    relay.terminate();
    builder(&sink).write(relay.directory());
    let store = relay.directory().join("store");
    // The queue as it was before the command.
    let before = tempfile::tempdir().unwrap();
    for file in ["spool.db", "spool.db-wal", "journal"] {
        if store.join(file).exists() {
            std::fs::copy(store.join(file), before.path().join(file)).unwrap();
        }
    }
    let resumed = relay.json(&["account", "resume", "acme.desk.test"]);
    assert_eq!(resumed[0]["released"], 1);
    for file in ["spool.db", "spool.db-wal", "spool.db-shm", "journal"] {
        let _ = std::fs::remove_file(store.join(file));
        if before.path().join(file).exists() {
            std::fs::copy(before.path().join(file), store.join(file)).unwrap();
        }
    }
    relay.restart();
    assert_eq!(sink.take().to, ["a@world.example"]);
    relay.leaves_nothing(sink);
}
