//! One id names a transaction everywhere: in the replies, the trace field, the log, the queue and
//! the trace, refused transactions included. So a postmaster who is asked can answer.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, trace_field_and_rest};

#[test]
fn one_id_leads_through_everything() {
    // The next hop makes the first attempt wait, so that there is something in the queue.
    let sink = Sink::with(&["--tempfail-first", "1"]);
    let relay = RelayBuilder::usual(sink.address())
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    let id = client
        .command("MAIL FROM:<ann@sender.example>", 250)
        .transaction();
    client.command("RCPT TO:<user@desk.example>", 250);
    let refused = client.command("RCPT TO:<x@elsewhere.example>", 550);
    assert_eq!(refused.transaction(), id);
    client.command("DATA", 354);
    client.send(MESSAGE).unwrap();
    assert_eq!(client.command(".", 250).transaction(), id);
    drop(client);

    for words in ["message answered", "recipient refused", "deferred"] {
        let line = relay.logged(words);
        assert!(line.contains(&id), "{line}");
    }
    let queue = relay.json(&["queue", "list", "--messages"]);
    assert_eq!(queue.len(), 1, "{queue:?}");
    assert_eq!(queue[0]["id"], *id);
    let shown = relay.json(&["queue", "show", &id]);
    assert_eq!(shown[0]["transaction"]["id"], *id);

    let released = relay.command(&["queue", "retry", &id]);
    assert!(released.status.success(), "{released:?}");
    let arrived = sink.take().bytes();
    let (field, _) = trace_field_and_rest(&arrived);
    assert!(field.contains(&format!(" id {id}\r\n")), "{field}");

    relay.logged("delivered");
    let trace = relay.json(&["trace", &id]);
    assert!(trace.iter().all(|event| event["id"] == *id), "{trace:?}");
    let events: Vec<&str> = trace
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .filter(|event| *event != "judged")
        .collect();
    let story = [
        "begun",
        "sender",
        "recipient",
        "recipient",
        "replied",
        "queued",
        "attempt",
        "retried",
        "attempt",
    ];
    assert_eq!(sorted(&events), sorted(&story), "{trace:?}");
    relay.leaves_nothing(sink);
}

fn sorted<'a>(events: &[&'a str]) -> Vec<&'a str> {
    let mut events = events.to_vec();
    events.sort_unstable();
    events
}

#[test]
fn a_refused_message_can_be_asked_for_too() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let looping = [
        b"Received: from a by b; date\r\n".repeat(101).as_slice(),
        MESSAGE,
    ]
    .concat();
    let reply = client
        .deliver("ann@sender.example", &["user@desk.example"], &looping)
        .unwrap();
    assert_eq!((reply.code, reply.enhanced()), (554, Some("5.4.6")));
    let id = reply.transaction();
    assert!(relay.logged("message answered").contains(&id));
    let trace = relay.json(&["trace", &id]);
    let replied = trace.iter().find(|event| event["event"] == "replied");
    let told = replied.unwrap()["reply"].to_string();
    assert!(told.contains("554") && told.contains(&id), "{trace:?}");
    drop(client);
    relay.leaves_nothing(sink);
}

/// Messages over a limit are refused before any policy sees them, and are on record all the same.
#[test]
fn a_message_over_a_limit_is_on_record() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nmessage-size = 1000\nrecipients = 1")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    let id = client
        .command("MAIL FROM:<ann@sender.example>", 250)
        .transaction();
    client.command("RCPT TO:<user@desk.example>", 250);
    let too_many = client.command("RCPT TO:<other@desk.example>", 452);
    assert_eq!(too_many.transaction(), id);
    client.command("DATA", 354);
    client.send(MESSAGE.repeat(20)).unwrap();
    let too_large = client.command(".", 552);
    assert_eq!(too_large.transaction(), id);
    let trace = relay.json(&["trace", &id]);
    let last = trace.last().unwrap();
    assert_eq!(last["event"], "replied", "{trace:?}");
    assert!(last["reply"].to_string().contains("552"), "{trace:?}");
    drop(client);
    relay.leaves_nothing(sink);
}
