//! An operator looks at the queue of a running relay and changes what becomes of its recipients:
//! hold, release, retry, cancel.

use serde_json::json;
use test_support::Sink;

use crate::{MESSAGE, accepted, all, waiting_after, without_next_hop};

#[test]
fn an_operator_lists_and_changes_the_live_queue() {
    let sink = Sink::start();
    let relay = without_next_hop(&sink).start();
    let id = accepted(&relay, &["x@desk.example", "y@desk.example"], MESSAGE);
    let recipients = waiting_after(&relay, 1, &id);
    // It waits behind the destination, which does not answer.
    let other = accepted(&relay, &["z@desk.example"], MESSAGE);
    waiting_after(&relay, 1, &other);

    // What is there, oldest first, and why it is still there.
    let listed = relay.json(&["queue", "list", "--messages"]);
    assert_eq!(all(&listed, "id"), [&id, &other]);
    assert_eq!(listed[0]["account"], "acme");
    assert_eq!(listed[0]["reverse-path"], "ann@sender.example");
    assert!(listed[0]["size"].as_u64().unwrap() > MESSAGE.len() as u64);
    assert_eq!(listed[0]["recipients"], json!(recipients));
    assert_eq!(
        all(&recipients, "address"),
        ["x@desk.example", "y@desk.example"]
    );
    let reply = &recipients[0]["last-reply"];
    assert_eq!(reply["code"].as_u64().unwrap() / 100, 4, "{reply}");

    // How much waits for the same next hop, and the reply that all of it waits for.
    let destinations = relay.json(&["queue", "list"]);
    assert_eq!(destinations.len(), 1, "{destinations:?}");
    assert_eq!(destinations[0]["recipients"], 3);
    assert_eq!(destinations[0]["messages"], 2);
    let reply = &destinations[0]["last-reply"];
    assert_eq!(reply["code"].as_u64().unwrap() / 100, 4, "{reply}");
    assert!(destinations[0]["next-attempt"].is_u64());

    let only = |arguments: &[&str]| relay.json(&[&["queue", "list"], arguments].concat());
    assert_eq!(
        all(&only(&["--recipient", "z@desk.example"]), "id"),
        [&other]
    );
    assert_eq!(only(&["--recipient", "desk.example"]).len(), 2);
    assert_eq!(only(&["--account", "acme", "--limit", "1"]).len(), 1);
    assert_eq!(all(&only(&["--after", &id]), "id"), [&other]);
    assert_eq!(only(&["--status", "held"]).len(), 0);

    // All that is known of one.
    let shown = relay.json(&["queue", "show", &id]);
    assert_eq!(shown[0]["transaction"]["session"]["listener"], "mx");
    assert_eq!(shown[0]["classification"]["class"], "human");
    let judgements = shown[0]["judgements"].as_array().unwrap();
    assert_eq!(all(judgements, "policy"), ["loop-guard", "header-guard"]);
    let header = shown[0]["header"].as_str().unwrap();
    assert!(header.starts_with("Received: from client.example"));
    assert!(header.ends_with("Subject: hello\r\n\r\n"), "{header}");

    // Held, it is not attempted, not even on demand; released, it is, at once.
    assert_eq!(changed(&relay, &["hold", &id]), 2);
    assert_eq!(only(&["--status", "held"]).len(), 1);
    assert_eq!(changed(&relay, &["retry", &id]), 0);
    let one = ["release", &id, "--recipient", "y@desk.example"];
    assert_eq!(changed(&relay, &one), 1);
    let recipients = relay.eventually("the released one is attempted", |relay| {
        let shown = relay.json(&["queue", "show", &id]);
        let recipients = shown[0]["recipients"].as_array().unwrap().clone();
        let tried = recipients[1]["attempts"] == 2 && recipients[1]["status"] == "queued";
        tried.then_some(recipients)
    });
    assert_eq!(recipients[0]["status"], "held");
    assert_eq!(recipients[0]["attempts"], 1);

    // The probe that the release opened may have been this one.
    let attempts = |relay: &test_support::Relay| {
        let shown = relay.json(&["queue", "show", &other]);
        shown[0]["recipients"][0]["attempts"].as_u64().unwrap()
    };
    let before = attempts(&relay);
    assert_eq!(changed(&relay, &["retry", &other]), 1);
    relay.eventually("the retried one is attempted", |relay| {
        (attempts(relay) > before).then_some(())
    });

    // Cancelled, it is gone, and nobody is told.
    assert_eq!(changed(&relay, &["cancel", &id]), 2);
    assert_eq!(all(&only(&["--messages"]), "id"), [&other]);
    let told = relay.refuses(&["queue", "show", &id]);
    assert!(told.contains("there is no such message"), "{told}");
    let by_hand: Vec<_> = relay
        .trace(&id)
        .into_iter()
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .filter(|event| ["held", "released", "retried", "cancelled"].contains(&event.as_str()))
        .collect();
    assert_eq!(by_hand, ["held", "released", "cancelled"]);
    assert_eq!(changed(&relay, &["cancel", "--all"]), 1);
    relay.leaves_nothing(sink);
}

/// Returns the number of recipients that a command has changed; with none its exit code is 1.
fn changed(relay: &test_support::Relay, arguments: &[&str]) -> u64 {
    let output = relay.command(&[&["queue"], arguments, &["--json"]].concat());
    let changed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(changed["in-progress"], 0);
    let changed = changed["changed"].as_u64().unwrap();
    assert_eq!(output.status.success(), changed > 0);
    changed
}
