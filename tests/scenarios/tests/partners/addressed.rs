//! A message that a person sends to two desks at once is taken, and the application learns who of
//! those addressed will not be written to.

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
    let judged = relay.judgements(&reply.transaction());
    let reasons = judged
        .iter()
        .map(|of| of["decision"]["reasons"].to_string());
    let reasons: String = reasons.collect();
    assert!(
        reasons.contains("help@b.desk.test is a partner's"),
        "{judged:?}"
    );

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
