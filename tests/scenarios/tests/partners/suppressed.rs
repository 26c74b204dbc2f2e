//! A partner gets no notification, an agent's neither; all others get theirs.

use test_support::Sink;

use crate::{guarded, guarded_with, notification, submitting, two};

const ANN: &str = "ann@customer.example";

#[test]
fn a_partner_alone_gets_nothing_and_the_submission_is_taken() {
    let sink = Sink::start();
    let relay = guarded(&sink).start();
    let (a, _) = two(&relay);
    relay.json(&["sharing", "add", "a.desk.test", "b.desk.test"]);
    relay.json(&["partner", "add", &a, "robot@partner.example"]);
    let mut client = submitting(&relay, &a);
    let partners = ["Help+9@b.desk.test", "robot@partner.example"];
    let to = [ANN, partners[0], partners[1]];
    let reply = client
        .deliver("help@a.desk.test", &to, &notification(ANN))
        .unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    assert_eq!(sink.take().to, [ANN]);
    let suppressed = relay.events(&reply.transaction(), "suppressed");
    let reasons: Vec<_> = suppressed
        .iter()
        .map(|event| {
            (
                event["address"].as_str().unwrap(),
                event["reason"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(reasons.len(), 2, "{suppressed:?}");
    assert!(
        reasons[0]
            .1
            .contains("by the sharing agreement with account"),
        "{reasons:?}"
    );
    assert!(reasons[1].1.contains("by an entry by hand"), "{reasons:?}");

    // To partners alone: taken, and nobody gets anything, no bounce either.
    let reply = client
        .deliver(
            "help@a.desk.test",
            &[partners[1]],
            &notification(partners[1]),
        )
        .unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_partner_is_refused_at_rcpt_if_set() {
    let sink = Sink::start();
    let relay = guarded_with(&sink, "{ suppress = \"reject\" }").start();
    let (a, _) = two(&relay);
    let mut client = submitting(&relay, &a);
    client.command("MAIL FROM:<help@a.desk.test>", 250);
    client.command("RCPT TO:<help@b.desk.test>", 250);
    client.command("RSET", 250);
    relay.json(&["sharing", "add", "a.desk.test", "b.desk.test"]);
    client.command("MAIL FROM:<help@a.desk.test>", 250);
    let reply = client.command("RCPT TO:<help@b.desk.test>", 550);
    assert_eq!(reply.enhanced(), Some("5.7.1"));
    client.command("RCPT TO:<ann@customer.example>", 250);
    drop(client);
    relay.leaves_nothing(sink);
}
