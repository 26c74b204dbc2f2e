//! While the relay is stopped, commands change the store itself; it starts with what they left,
//! and `check` judges by it.

use std::fs;

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted};

#[test]
fn changes_while_the_relay_is_stopped_hold_from_its_start() {
    let sink = Sink::start();
    let directory = tempfile::tempdir().unwrap();
    let builder = RelayBuilder::usual(sink.address()).directory(directory.path());
    let mut relay = builder.clone().start();
    relay.terminate();
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    let account = relay
        .json(&[&["account", "add"], &native[..]].concat())
        .remove(0);
    assert_eq!(account["time-zone"], "UTC");
    relay.json(&[
        "address",
        "add",
        "--account",
        "acme.desk.test",
        "help@acme.desk.test",
    ]);
    let stored = directory.path().join("stored.eml");
    fs::write(&stored, MESSAGE).unwrap();
    let config = directory.path().join("gatepost.toml");
    let check = [
        "check",
        "--config",
        config.to_str().unwrap(),
        "--json",
        "--rcpt-to",
    ];
    let judged = |to| {
        let run = test_support::run(&[&check[..], &[to, stored.to_str().unwrap()]].concat());
        let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        report["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(judged("help@acme.desk.test"), "accept");
    assert_eq!(judged("nobody@acme.desk.test"), "reject");

    let relay = builder.start();
    accepted(&relay, &["help@acme.desk.test"], MESSAGE);
    assert_eq!(sink.take().to, ["help@acme.desk.test"]);
    let shown = relay.json(&["account", "show", account["id"].as_str().unwrap()]);
    assert_eq!(shown[0], account);
    relay.leaves_nothing(sink);
}
