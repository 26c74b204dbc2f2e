//! A policy quarantines a message; an operator releases it or deletes it.

use test_support::Sink;

use crate::{accepted, all, judged_by};

const ODD: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    Subject: odd\r\n\
    X-Attack: now\r\n\
    \r\n\
    Hello!\r\n";

#[test]
fn a_message_is_quarantined_and_released_or_deleted() {
    let sink = Sink::start();
    let relay = judged_by("quarantines", &sink).start();
    let good = accepted(&relay, &["x@desk.example"], ODD);
    let bad = accepted(&relay, &["y@desk.example"], ODD);
    let listed = relay.json(&["quarantine", "list"]);
    assert_eq!(all(&listed, "id"), [&good, &bad]);
    let kept = &listed[0]["quarantine"];
    assert_eq!(kept["reason"], "a person should look at it");
    assert!(kept["expires"].as_u64() > listed[0]["received-at"].as_u64());
    assert_eq!(listed[0]["recipients"][0]["status"], "quarantined");
    // Neither is it on its way, nor can it be made to be, by what is for the queue.
    assert_eq!(relay.json(&["queue", "list", "--messages"]).len(), 0);
    relay.refuses(&["queue", "show", &good]);
    relay.refuses(&["queue", "retry", &good]);

    let shown = relay.json(&["quarantine", "show", &good]);
    let header = shown[0]["header"].as_str().unwrap();
    assert!(header.contains("X-Attack: now\r\n"), "{header}");
    let reasons = &shown[0]["judgements"][0]["decision"]["reasons"];
    assert_eq!(reasons[0], "it carries X-Attack");

    let done = relay.json(&["quarantine", "release", &good]);
    assert_eq!(done[0]["done"], true);
    let arrived = sink.take();
    assert_eq!(arrived.to, ["x@desk.example"]);
    assert_eq!(arrived.header("Subject").as_deref(), Some("odd"));
    let done = relay.json(&["quarantine", "delete", &bad]);
    assert_eq!(done[0]["done"], true);

    for id in [&good, &bad] {
        let again = relay.command(&["quarantine", "release", id]);
        assert_eq!(again.status.code(), Some(1), "{again:?}");
    }
    insta::assert_snapshot!(relay.trace_until(&good, "delivered"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    judged guest DIGEST message: quarantine (it carries X-Attack)
    quarantined until TIME: a person should look at it
    replied 250 2.6.0 Queued as ID1 (71 B)
    released
    attempt 1 for <x@desk.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    insta::assert_snapshot!(relay.trace_until(&bad, "discarded"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <y@desk.example>: 250 2.1.5 Recipient OK
    judged guest DIGEST message: quarantine (it carries X-Attack)
    quarantined until TIME: a person should look at it
    replied 250 2.6.0 Queued as ID1 (71 B)
    discarded
    ");
    assert_eq!(relay.json(&["quarantine", "list"]).len(), 0);
    relay.leaves_nothing(sink);
}
