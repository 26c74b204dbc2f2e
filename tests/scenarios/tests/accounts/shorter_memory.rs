//! An account that keeps what is known of its mail for a second forgets a message that was delivered,
//! while another account of the same relay knows of its own.

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Sink};

use crate::submission;

/// Adds an account, submits a message for it, and returns its transaction once it is delivered.
fn delivered(relay: &Relay, native: &str) -> String {
    let add = [
        "account",
        "add",
        "--native-domain",
        native,
        "--product",
        "Desk",
    ];
    relay.json(&add);
    let help = format!("help@{native}");
    relay.json(&["address", "add", "--account", native, &help]);
    let (user, secret) = submission(relay, native);
    let client = relay.client("submission");
    let mut client = client.authenticated(&user, &secret);
    let message = format!("From: <{help}>\r\nSubject: hello\r\n\r\nHello!\r\n");
    let reply = client
        .deliver(&help, &["ann@world.test"], message.as_bytes())
        .unwrap();
    let id = reply.transaction();
    relay.eventually("it is delivered", |relay| {
        let events = relay.json(&["events", "--transaction", &id]);
        events
            .iter()
            .any(|event| event["kind"] == "delivered")
            .then_some(())
    });
    id
}

fn known(relay: &Relay, id: &str) -> [usize; 2] {
    let events = relay.json(&["events", "--transaction", id]);
    let found = relay.command(&["trace", id, "--json"]);
    let traced = String::from_utf8_lossy(&found.stdout);
    let traced = traced.lines().filter(|line| !line.trim().is_empty());
    [events.len(), traced.count()]
}

#[test]
fn an_account_forgets_its_mail_sooner_than_others() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    let short = delivered(&relay, "short.desk.test");
    let usual = delivered(&relay, "usual.desk.test");
    let refused = relay.command(&["account", "set-retention", "short.desk.test", "0s"]);
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(words.contains("from 1s to 3650d"), "{words}");
    let shown = relay.json(&["account", "set-retention", "short.desk.test", "1s"]);
    assert_eq!(shown[0]["keep"], "1s");
    let before = known(&relay, &usual);
    assert!(before.iter().all(|count| *count > 0), "{before:?}");

    // What is too old is dropped after the start, and then once an hour.
    let is_gone = (0..10).any(|_| {
        relay.restart();
        known(&relay, &short) == [0, 0]
    });
    assert!(is_gone, "{:?}", known(&relay, &short));
    assert_eq!(known(&relay, &usual), before);

    let shown: Vec<Value> = relay.json(&["account", "set-retention", "short.desk.test"]);
    assert!(shown[0]["keep"].is_null(), "{shown:?}");
    sink.take();
    sink.take();
    relay.leaves_nothing(sink);
}
