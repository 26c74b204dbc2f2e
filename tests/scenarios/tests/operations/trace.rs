//! `gatepost trace ID` shows what happened to a message, by the id in the reply: to a delivered
//! one, a refused one and a bounced one.

use serde_json::Value;
use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted, all, send};

#[test]
fn the_trace_of_a_delivered_message_is_complete() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    let events = relay.eventually("the delivery is on record", |relay| {
        let events = relay.trace(&id);
        events
            .iter()
            .any(|e| e["event"] == "attempt")
            .then_some(events)
    });
    assert!(all(&events, "id").iter().all(|of| **of == id));
    let begun = &events[0];
    assert_eq!(begun["event"], "begun");
    assert_eq!(begun["session"]["helo"], "client.example");
    let find = |kind: &str| events.iter().find(|e| e["event"] == kind).unwrap();
    assert_eq!(find("sender")["reverse-path"], "ann@sender.example");
    assert_eq!(find("recipient")["address"], "x@desk.example");
    assert_eq!(find("queued")["recipients"][0], "x@desk.example");
    assert_eq!(find("replied")["reply"]["code"], 250);
    assert_eq!(find("replied")["size"], MESSAGE.len());

    // Which version of which policy, and what it said.
    let policies: Vec<Value> = relay.json(&["policy", "list"]);
    for judgement in relay.judgements(&id) {
        let in_use = policies.iter().find(|p| p["policy"] == judgement["policy"]);
        assert_eq!(judgement["digest"], in_use.unwrap()["digest"]);
        assert_eq!(judgement["verdict"], "pass");
    }

    let attempt = find("attempt");
    assert_eq!(attempt["address"], "x@desk.example");
    assert_eq!(attempt["attempt"], 1);
    assert_eq!(attempt["server"], sink.address().to_string());
    assert_eq!(attempt["reply"]["lines"][0], "taken as 1");
    assert_eq!(attempt["ending"], "delivered");

    // The same in a table for people.
    insta::assert_snapshot!(relay.trace_until(&id, "delivered"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass
    judged header-guard DIGEST message: pass
    queued for <x@desk.example>
    replied 250 2.6.0 Queued as ID1 (58 B)
    judged outbound-route DIGEST route: pass
    attempt 1 for <x@desk.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    relay.leaves_nothing(sink);
}

#[test]
fn the_trace_of_a_refused_message_names_who_refused_it_and_why() {
    let sink = Sink::start();
    let rules = r#"
        [[policy]]
        name = "header-guard"
        builtin = "header-guard"
        settings = { rules = [{ header = "X-Bad", action = "forbid" }] }
    "#;
    let relay = RelayBuilder::usual(sink.address()).with(rules).start();
    let message = [b"X-Bad: yes\r\n", MESSAGE].concat();
    let reply = send(&relay, &["x@desk.example"], &message);
    assert_eq!(reply.code, 550);
    let id = reply.transaction();
    let judgements = relay.judgements(&id);
    let refused = judgements.last().unwrap();
    assert_eq!(refused["verdict"]["reject"]["code"], 550);
    insta::assert_snapshot!(relay.trace_until(&id, "replied"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <x@desk.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass
    judged header-guard DIGEST message: reject (X-Bad is forbidden here)
    replied 550 5.7.1 The header X-Bad is not allowed here (ID1) (70 B)
    ");
    relay.leaves_nothing(sink);
}

#[test]
fn the_trace_of_a_bounced_message_leads_to_the_bounce() {
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = accepted(&relay, &["gone@desk.example"], MESSAGE);
    insta::assert_snapshot!(relay.trace_until(&id, "bounced"), @"
    begun on mx from 127.0.0.1:PORT, plaintext
    sender <ann@sender.example>: 250 2.1.0 Ok, transaction ID1
    recipient <gone@desk.example>: 250 2.1.5 Recipient OK
    judged loop-guard DIGEST message: pass
    judged header-guard DIGEST message: pass
    queued for <gone@desk.example>
    replied 250 2.6.0 Queued as ID1 (58 B)
    judged outbound-route DIGEST route: pass
    attempt 1 for <gone@desk.example> at 127.0.0.1:PORT: failed: 550 5.1.1 the sink refuses
        this recipient as told
    bounced the sender is told of <gone@desk.example> in ID2
    ");

    // The bounce has a way of its own.
    assert_eq!(sink.take().to, ["ann@sender.example"]);
    let bounced = relay.events(&id, "bounced").remove(0);
    let notice = bounced["notice"].as_str().unwrap();
    insta::assert_snapshot!(relay.trace_until(notice, "delivered"), @"
    queued for <ann@sender.example>
    attempt 1 for <ann@sender.example> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    relay.leaves_nothing(sink);
}

#[test]
fn an_unknown_id_has_no_trace() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let told = relay.refuses(&["trace", "01890000-0000-7000-8000-000000000000"]);
    assert!(told.contains("nothing is known of transaction"), "{told}");
    relay.leaves_nothing(sink);
}
