//! Each step of a delivery is an event: queued, deferred, delivered, failed. Each has the number,
//! the account, the message, the recipient and the server's words.

use test_support::Sink;

use crate::{kinds, listed, relay_to, seq, submitted, until};

const SCRIPT: &str = r#"
[[on]]
command = "RCPT"
match = "later@*"
times = 1
reply = "451 4.2.1 Come back later"

[[on]]
command = "RCPT"
match = "nobody@*"
reply = "550 5.1.1 Nobody here"
"#;

#[test]
fn each_step_of_a_delivery_is_an_event() {
    let sink = Sink::scripted(SCRIPT, &[]);
    let relay = relay_to(&sink).start();

    let id = submitted(&relay, &["later@b.example"], "");
    let events = until(&relay, &id, "delivered");
    assert_eq!(kinds(&events), ["queued", "deferred", "delivered"]);
    for event in &events {
        assert_eq!(event["account"], "acme");
        assert_eq!(event["address"], "ann@desk.example");
        assert_eq!(event["transaction"], *id);
        assert_eq!(event["message-id"], "1@desk.example");
        assert_eq!(event["recipient"], "later@b.example");
    }
    let deferred = &events[1];
    assert_eq!(deferred["stage"], "recipient");
    assert_eq!(deferred["reply"]["code"], 451);
    assert_eq!(deferred["reply"]["lines"][0], "Come back later");
    assert_eq!(deferred["attempts"], 1);
    assert!(deferred["next-attempt"].as_u64() > deferred["at"].as_u64());
    let delivered = &events[2];
    assert_eq!(delivered["stage"], "message");
    assert_eq!(delivered["server"], sink.address().to_string());
    assert_eq!(delivered["reply"]["code"], 250);
    sink.take();

    let id = submitted(&relay, &["nobody@b.example"], "");
    let events = until(&relay, &id, "failed");
    assert_eq!(kinds(&events), ["queued", "failed"]);
    assert_eq!(events[1]["reply"]["enhanced"], "5.1.1");
    // The notice to the application is no mail of the application: it has no events.
    assert_eq!(sink.take().from, "");

    let all = listed(&relay, &[]);
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(
        all.is_sorted_by(|one, next| seq(one) < seq(next)),
        "{all:?}"
    );
    let after = seq(&all[2]).to_string();
    let rest = listed(&relay, &["--after", &after, "--account", "acme"]);
    assert_eq!(rest, all[3..]);
    assert_eq!(listed(&relay, &["--kind", "failed"]), all[4..]);
    assert!(listed(&relay, &["--account", "other"]).is_empty());

    // They are in the store, whether or not a relay runs.
    let mut relay = relay;
    relay.terminate();
    assert_eq!(listed(&relay, &[]), all);
}
