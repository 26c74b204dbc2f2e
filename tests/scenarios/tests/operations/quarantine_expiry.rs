//! A message in quarantine is dropped when its time is over, and the trace says so.

use test_support::Sink;

use crate::{accepted, judged_by};

const ODD: &[u8] = b"From: Ann <ann@sender.example>\r\nX-Attack: now\r\n\r\nHello!\r\n";

#[test]
fn an_expired_message_is_dropped_from_quarantine() {
    let sink = Sink::start();
    let mut relay = judged_by("quarantines", &sink)
        .with("[quarantine]\nexpiry = \"1ms\"")
        .start();
    let id = accepted(&relay, &["x@desk.example"], ODD);
    // The relay looks when it starts, and then once a minute.
    assert!(relay.terminate().success());
    relay.restart();
    insta::assert_snapshot!(relay.trace_until(&id, "expired"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    judged guest DIGEST message: quarantine (it carries X-Attack)
    quarantined until TIME: a person should look at it
    replied 250 2.6.0 Queued as ID1 (57 B)
    expired
    ");
    assert_eq!(relay.json(&["quarantine", "list"]).len(), 0);
    relay.leaves_nothing(sink);
}
