//! `gatepost trace` without an id finds messages by what people know of them, refused ones included.

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Sink};

use crate::{MESSAGE, accepted, send};

/// Returns the subjects of the messages that are found.
fn found(relay: &Relay, options: &[&str]) -> Vec<String> {
    let messages: Vec<Value> = relay.json(&[&["trace"], options].concat());
    let subject = |of: &Value| of["subject"].as_str().unwrap().to_owned();
    messages.iter().map(subject).collect()
}

#[test]
fn messages_are_found_by_sender_recipient_subject_and_message_id() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let parcel = b"From: Ann <ann@shown.example>\r\nMessage-ID: <1@shown.example>\r\n\
                   Subject: =?utf-8?Q?Wo_ist_mein_Gr=C3=BC=C3=9Fpaket=3F?=\r\n\r\nHello\r\n";
    accepted(&relay, &["x@desk.example"], parcel);
    sink.take();
    let reply = send(&relay, &["nobody@elsewhere.example"], MESSAGE);
    assert_eq!(reply.code, 550, "{}", reply.text());

    let subject = |of: &Value| of["subject"].as_str().unwrap().to_owned();
    messages.iter().map(subject).collect()
}

#[test]
fn messages_are_found_by_sender_recipient_subject_and_message_id() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let parcel = "From: Ann <ann@shown.example>\r\nMessage-ID: <1@shown.example>\r\n\
                  Subject: =?utf-8?Q?Wo_ist_mein_Gr=C3=BC=C3=9Fpaket=3F?=\r\n\r\nHello\r\n";
    let code = send(&relay, "ann@sender.example", &["x@desk.example"], parcel);
    assert_eq!(code, 250);
    sink.take();
    let other = "From: Bob <bob@b.example>\r\nSubject: invoice\r\n\r\nHello\r\n";
    let refused = send(
        &relay,
        "bob@b.example",
        &["nobody@elsewhere.example"],
        other,
    );
    assert_eq!(refused, 550);

    let subject = "Wo ist mein Grüßpaket?";
    for options in [
        ["--sender", "ann@sender.example"],
        ["--sender", "shown.example"],
        ["--recipient", "x@desk.example"],
        ["--message-id", "<1@shown.example>"],
        ["--subject", "GRÜßPAKET wo"],
    ] {
        assert!(
            found(&relay, &options).contains(&subject.to_owned()),
            "{options:?}"
        );
    }
    assert!(found(&relay, &["--subject", "letter"]).is_empty());
    assert_eq!(
        found(&relay, &["--since", "1h", "--sender", "shown.example"]),
        [subject]
    );
    assert!(found(&relay, &["--until", "1h"]).is_empty());
    // One that was refused before its message has no subject; its transaction tells why.
    let messages: Vec<Value> = relay.json(&["trace", "--recipient", "elsewhere.example"]);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["sender"], "ann@sender.example");
    let id = messages[0]["id"].as_str().unwrap();
    let events = relay.trace(id);
    let recipient = events
        .iter()
        .find(|event| event["event"] == "recipient")
        .unwrap();
    assert_eq!(recipient["reply"]["code"], 550);
    relay.leaves_nothing(sink);
}
