//! A person sends a message to two desks at once: it is accepted, and the application learns which
//! of the addresses are partners and get no mail.

use test_support::Sink;

use crate::{guarded, send, two};

#[test]
fn the_agent_sees_who_will_not_be_written_to() {
    let sink = Sink::start();
    let relay = guarded(&sink).start();
    two(&relay);
    relay.json(&["sharing", "add", "a.desk.test", "b.desk.test"]);
    let header = "From: <ann@sender.example>\r\nTo: help@a.desk.test, ben@sender.example\r\n\
        Cc: \"Desk B\" <Help@b.desk.test>\r\nX-Gatepost-Partners: <forged@sender.example>";
    let reply = send(&relay, "ann@sender.example", "help@a.desk.test", header);
    assert_eq!(reply.code, 250, "{}", reply.text());
    let arrived = sink.take();
    assert_eq!(
        arrived.header("X-Gatepost-Tags").as_deref(),
        Some("partner-addressed")
    );
    assert_eq!(
        arrived.header("X-Gatepost-Partners").as_deref(),
        Some("<help@b.desk.test>")
    );
    assert!(!arrived.text().contains("forged"));
    insta::assert_snapshot!(relay.trace_until(&reply.transaction(), "delivered"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    judged partner-guard DIGEST recipient: pass
    recipient <help@a.desk.test>: 250 2.1.5 Recipient OK
    judged partner-guard DIGEST message: pass (help@b.desk.test is a partner's by the
        sharing agreement with account ACCOUNT1; they will not be written to)
    judged loop-guard DIGEST message: pass
    judged header-guard DIGEST message: pass
    queued for <help@a.desk.test>
    replied 250 2.6.0 Queued as ID1 (175 B)
    judged outbound-route DIGEST route: pass
    attempt 1 for <help@a.desk.test> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");

    // Where none is addressed, nothing is said, whatever came from outside.
    let header = "From: <ann@sender.example>\r\nX-Gatepost-Partners: <forged@sender.example>";
    assert_eq!(
        send(&relay, "ann@sender.example", "help@a.desk.test", header).code,
        250
    );
    let arrived = sink.take();
    assert_eq!(arrived.header("X-Gatepost-Partners"), None);
    assert_eq!(arrived.header("X-Gatepost-Tags"), None);
    relay.leaves_nothing(sink);
}
