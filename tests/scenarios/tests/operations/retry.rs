//! A next hop that refuses for now is tried again after the first wait of the schedule, and gets
//! the message once.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted};

#[test]
fn a_message_is_delivered_after_a_temporary_failure() {
    let sink = Sink::with(&["--tempfail-first", "1"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    assert_eq!(sink.take().to, ["x@desk.example"]);
    insta::assert_snapshot!(relay.trace_until(&id, "delivered"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass
    judged header-guard DIGEST message: pass
    queued for <x@desk.example>
    replied 250 2.6.0 Queued as ID1 (58 B)
    judged outbound-route DIGEST route: pass
    attempt 1 for <x@desk.example> at 127.0.0.1:PORT: deferred until TIME: 451 4.3.0 the
        sink takes no message yet, as told
    attempt 2 for <x@desk.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    let attempts = relay.events(&id, "attempt");
    let due = attempts[0]["ending"]["deferred"]["next-attempt"].as_u64();
    assert!(due > attempts[0]["at"].as_u64(), "{attempts:?}");
    assert!(attempts[1]["at"].as_u64() >= due, "{attempts:?}");
    relay.leaves_nothing(sink);
}
