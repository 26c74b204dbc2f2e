//! Mail that was delivered after the backup comes back held, and is listed: a restored relay never
//! delivers it by itself. What an operator held before is not among that.

use test_support::Sink;

use crate::{MESSAGE, accepted, backed_up, restored, usual, without_next_hop};

#[test]
fn mail_that_was_delivered_since_waits_for_the_operators_word() {
    let home = tempfile::tempdir().unwrap();
    let first = home.path().join("first");
    std::fs::create_dir(&first).unwrap();
    let mut relay = without_next_hop().directory(&first).start();
    let delivered = accepted(&relay, "ann@desk.example", MESSAGE);
    let wanted = accepted(&relay, "bob@desk.example", MESSAGE);
    let by_hand = accepted(&relay, "carl@desk.example", MESSAGE);
    relay.eventually("it can be held", |relay| {
        let held = relay.ask(&serde_json::json!({
            "operation": "queue-hold", "request": { "ids": [by_hand] } }));
        (held["answer"]["changed"] == 1).then_some(())
    });
    let to = home.path().join("backup");
    backed_up(&relay, &to, &[]);
    assert!(relay.terminate().success());

    // The relay goes on, and delivers.
    let sink = Sink::start();
    let mut relay = usual(sink.address()).directory(&first).start();
    relay.json(&["queue", "retry", "--all"]);
    let mut arrived = [sink.take().to, sink.take().to];
    arrived.sort();
    assert_eq!(arrived, [["ann@desk.example"], ["bob@desk.example"]]);
    assert!(relay.terminate().success());

    let second = home.path().join("second");
    std::fs::create_dir(&second).unwrap();
    let told = restored(&to, &second.join("store"), &[]);
    assert_eq!(told[0]["recipients"], 2);
    let listed: Vec<_> = told[1..]
        .iter()
        .map(|held| held["id"].as_str().unwrap())
        .collect();
    assert_eq!(listed, [&*delivered, &*wanted]);
    assert_eq!(told[1]["to"], serde_json::json!(["ann@desk.example"]));
    assert_eq!(told[1]["from"], "ann@sender.example");

    let relay = usual(sink.address()).directory(&second).start();
    // A message that comes now goes at once, and none of the others before it.
    accepted(&relay, "dora@desk.example", MESSAGE);
    assert_eq!(sink.take().to, ["dora@desk.example"]);
    let held = relay.json(&["queue", "list", "--status", "held"]);
    let reason = |id: &str| {
        let message = held.iter().find(|message| message["id"] == id).unwrap();
        message["recipients"][0]["last-reply"].to_string()
    };
    assert!(reason(&delivered).contains("may have been delivered since"));
    assert!(reason(&wanted).contains("may have been delivered since"));
    assert!(!reason(&by_hand).contains("delivered since"));
    relay.json(&["queue", "release", &wanted]);
    assert_eq!(sink.take().to, ["bob@desk.example"]);
    relay.json(&["queue", "cancel", &delivered, &by_hand]);
    relay.eventually("all is recorded", |relay| {
        let queue = relay.json(&["queue", "list", "--messages"]);
        queue.is_empty().then_some(())
    });
    relay.leaves_nothing(sink);
}
