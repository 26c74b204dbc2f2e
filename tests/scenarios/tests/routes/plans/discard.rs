//! A policy with the grant discards a recipient: nobody gets the message, nobody is told, and the
//! reason is on record. The other recipients get it.

use super::by_guest;
use crate::{MESSAGE, server, submitted};

#[test]
fn a_discarded_recipient_gets_nothing_and_nobody_is_told() {
    let server = server("");
    let (_dns, relay) = by_guest(&server, "\"discard\"");
    let relay = relay.start();
    let id = submitted(&relay, &["discard@b.example", "x@b.example"], MESSAGE);
    assert_eq!(server.take().to, ["x@b.example"]);
    let trace = relay.trace_until(&id, "discard: nobody wants it");
    assert!(!trace.contains("notice"), "{trace}");
    relay.eventually("the queue is empty", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    relay.leaves_nothing(server);
}
