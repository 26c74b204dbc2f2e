//! `gatepost trace ID` says what became of a message, by the id that the client was told: one
//! that was delivered, one that was refused, one that bounced.

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
    let table = relay.command(&["trace", &id]).stdout;
    let table = String::from_utf8(table).unwrap();
    assert_eq!(table.lines().count(), events.len() + 1, "{table}");
    let delivered = "1 for <x@desk.example>";
    assert!(table.contains(delivered), "{table}");
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
    assert_eq!(refused["policy"], "header-guard");
    assert_eq!(refused["verdict"]["reject"]["code"], 550);
    assert_eq!(refused["decision"]["reasons"][0], "X-Bad is forbidden here");
    assert_eq!(relay.events(&id, "replied")[0]["reply"]["code"], 550);
    assert_eq!(relay.events(&id, "queued").len(), 0);
    relay.leaves_nothing(sink);
}

#[test]
fn the_trace_of_a_bounced_message_leads_to_the_bounce() {
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = accepted(&relay, &["gone@desk.example"], MESSAGE);
    let bounced = relay.eventually("the bounce is on record", |relay| {
        relay.events(&id, "bounced").pop()
    });
    assert_eq!(bounced["recipients"][0], "gone@desk.example");
    let attempt = &relay.events(&id, "attempt")[0];
    assert_eq!(attempt["ending"], "failed");
    assert_eq!(attempt["reply"]["code"], 550);

    // The bounce has a way of its own.
    let notice = bounced["notice"].as_str().unwrap();
    let queued = &relay.events(notice, "queued")[0];
    assert_eq!(queued["recipients"][0], "ann@sender.example");
    assert_eq!(sink.take().to, ["ann@sender.example"]);
    let attempt = relay.eventually("the bounce's delivery is on record", |relay| {
        relay.events(notice, "attempt").pop()
    });
    assert_eq!(attempt["address"], "ann@sender.example");
    assert_eq!(attempt["ending"], "delivered");
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
