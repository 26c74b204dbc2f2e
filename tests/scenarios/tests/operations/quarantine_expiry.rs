//! What nobody looks at in time is dropped from quarantine, and that is on record.

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
    relay.eventually("it is dropped, on record", |relay| {
        relay.events(&id, "expired").pop()
    });
    assert_eq!(relay.json(&["quarantine", "list"]).len(), 0);
    relay.leaves_nothing(sink);
}
