//! A relay that is stopped is backed up by the same command; moved to another machine, it goes on
//! where it stopped.

use test_support::Sink;

use crate::{MESSAGE, accepted, backed_up, restored, usual, without_next_hop};

#[test]
fn a_stopped_relay_moves_with_its_queue() {
    let home = tempfile::tempdir().unwrap();
    let mut relay = without_next_hop().start();
    accepted(&relay, "ann@desk.example", MESSAGE);
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    let account = relay.json(&[&["account", "add"], &native[..]].concat());
    relay.json(&["suppression", "add", "acme.desk.test", "bob@a.example"]);
    assert!(relay.terminate().success());
    let to = home.path().join("backup");
    let complete = backed_up(&relay, &to, &[]);
    assert_eq!(complete["state"], "complete");

    let second = home.path().join("second");
    std::fs::create_dir(&second).unwrap();
    let told = restored(&to, &second.join("store"), &["--nothing-delivered-since"]);
    assert_eq!(told.len(), 1, "nothing is held: {told:?}");
    let sink = Sink::start();
    let relay = usual(sink.address()).directory(&second).start();
    relay.json(&["queue", "retry", "--all"]);
    assert_eq!(sink.take().to, ["ann@desk.example"]);
    assert_eq!(relay.json(&["account", "list"])[0]["id"], account[0]["id"]);
    let suppressed = relay.json(&["suppression", "list", "acme.desk.test"]);
    assert_eq!(suppressed[0]["address"], "bob@a.example");
    relay.eventually("all is recorded", |relay| {
        let queue = relay.json(&["queue", "list", "--messages"]);
        queue.is_empty().then_some(())
    });
    relay.leaves_nothing(sink);
}
