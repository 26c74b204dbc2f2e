//! A partner gets no notification, not even an agent's; all other recipients get theirs.

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
    insta::assert_snapshot!(relay.trace_until(&reply.transaction(), "delivered"), @"
    begun on submission from 127.0.0.1:PORT as USER1, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@a.desk.test>: 250 2.1.0 Ok, transaction ID1
    judged partner-guard DIGEST recipient: pass
    recipient <ann@customer.example>: 250 2.1.5 Recipient OK
    judged partner-guard DIGEST recipient: pass
    recipient <Help+9@b.desk.test>: 250 2.1.5 Recipient OK
    judged partner-guard DIGEST recipient: pass
    recipient <robot@partner.example>: 250 2.1.5 Recipient OK
    judged partner-guard DIGEST message: pass (Help+9@b.desk.test is a partner's by the
        sharing agreement with account ACCOUNT1; robot@partner.example is a partner's by an
        entry by hand)
    judged loop-guard DIGEST message: pass (human, by X-Gatepost-Trigger: agent
        [agent-trigger]; no machine may reply, by X-Gatepost-Trigger: agent [agent-trigger])
    judged header-guard DIGEST message: pass
    suppressed <Help+9@b.desk.test>: Help+9@b.desk.test is a partner's by the sharing
        agreement with account ACCOUNT1
    suppressed <robot@partner.example>: robot@partner.example is a partner's by an entry by
        hand
    queued for <ann@customer.example>
    replied 250 2.6.0 Queued as ID1 (reasons: partner-guard: Help+9@b.desk.test is a
        partner's by the sharing agreement with account ACCOUNT1; partner-guard:
        robot@partner.example is a partner's by an entry by hand; loop-guard: human, by
        X-Gatepost-Trigger: agent [agent-trigger]; loop-guard: no machine may reply, by
        X-Gatepost-Trigger: agent [agent-trigger]) (122 B)
    judged outbound-route DIGEST route: pass
    attempt 1 for <ann@customer.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");

    // To partners alone: taken, and nobody gets anything, no bounce either.
    let reply = client
        .deliver(
            "help@a.desk.test",
            &[partners[1]],
            &notification(partners[1]),
        )
        .unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    insta::assert_snapshot!(relay.trace_until(&reply.transaction(), "replied"), @"
    begun on submission from 127.0.0.1:PORT as USER1, TLSv1.3 TLS13_AES_256_GCM_SHA384
    sender <help@a.desk.test>: 250 2.1.0 Ok, transaction ID1
    judged partner-guard DIGEST recipient: pass
    recipient <robot@partner.example>: 250 2.1.5 Recipient OK
    judged partner-guard DIGEST message: pass (robot@partner.example is a partner's by an
        entry by hand)
    judged loop-guard DIGEST message: pass (human, by X-Gatepost-Trigger: agent
        [agent-trigger]; no machine may reply, by X-Gatepost-Trigger: agent [agent-trigger])
    judged header-guard DIGEST message: pass
    suppressed <robot@partner.example>: robot@partner.example is a partner's by an entry by
        hand
    replied 250 2.6.0 Queued as ID1 (reasons: partner-guard: robot@partner.example is a
        partner's by an entry by hand; loop-guard: human, by X-Gatepost-Trigger: agent
        [agent-trigger]; loop-guard: no machine may reply, by X-Gatepost-Trigger: agent
        [agent-trigger]) (123 B)
    ");
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
