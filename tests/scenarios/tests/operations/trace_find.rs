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
    let parcel = "From: Ann <ann@shown.example>\r\nMessage-ID: <1@shown.example>\r\n\
                  Subject: =?utf-8?Q?Wo_ist_mein_Gr=C3=BC=C3=9Fpaket=3F?=\r\n\r\nHello\r\n";
    accepted(&relay, &["x@desk.example"], parcel.as_bytes());
    sink.take();
    let reply = send(&relay, &["nobody@elsewhere.example"], MESSAGE);
    assert_eq!(reply.code, 550, "{}", reply.text());

    let subject = "Wo ist mein Grüßpaket?";
    for options in [
        ["--sender", "ann@sender.example"],
        ["--sender", "shown.example"],
        ["--recipient", "x@desk.example"],
        ["--message-id", "<1@shown.example>"],
        ["--subject", "GRÜßPAKET wo"],
    ] {
        let all = found(&relay, &options);
        assert!(all.iter().any(|of| of == subject), "{options:?}: {all:?}");
    }
    assert!(found(&relay, &["--subject", "letter"]).is_empty());
    let since = ["--since", "1h", "--sender", "shown.example"];
    assert_eq!(found(&relay, &since), [subject]);
    assert!(found(&relay, &["--until", "1h"]).is_empty());
    // One that was refused before its message has no subject; its transaction tells why.
    let messages: Vec<Value> = relay.json(&["trace", "--recipient", "elsewhere.example"]);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["sender"], "ann@sender.example");
    assert_eq!(messages[0]["subject"], "");
    let events = relay.trace(messages[0]["id"].as_str().unwrap());
    let recipient = events.iter().find(|event| event["event"] == "recipient");
    assert_eq!(recipient.unwrap()["reply"]["code"], 550);
    relay.leaves_nothing(sink);
}
