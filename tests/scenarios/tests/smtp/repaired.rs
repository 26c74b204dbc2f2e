//! What is no sound mail and everybody else takes: repaired as it arrives, by DATA and in chunks, in
//! small messages and large, and on record.

use serde_json::Value;
use test_support::{Client, Relay, RelayBuilder, Sink};

use crate::trace_field_and_rest;

const HEAD: &str = "From: Ann <ann@sender.example>\r\nTo: user@desk.example\r\nSubject: s\r\n";

/// Returns messages as they came, as they are repaired, and the reason on record.
fn cases() -> Vec<(String, String, &'static str)> {
    let large = "0123456789 and on\n".repeat(40_000);
    vec![
        (
            format!("{HEAD}\r\nof an old\rMac\rhere\r\n"),
            format!("{HEAD}\r\nof an old\r\nMac\r\nhere\r\n"),
            "repaired: bare CR became CRLF (2)",
        ),
        (
            format!("{HEAD}\r\na\nb\n\nc\r\n"),
            format!("{HEAD}\r\na\r\nb\r\n\r\nc\r\n"),
            "repaired: bare LF became CRLF (3)",
        ),
        (
            format!("{}\r\r\nbody\r\r\n", HEAD.replace('\r', "\r\r")),
            format!("{HEAD}\r\nbody\r\n"),
            "repaired: CR before CRLF removed (5)",
        ),
        (
            format!("{HEAD}\r\n\0no\0thing\0\r\n\r\n"),
            format!("{HEAD}\r\nnothing\r\n\r\n"),
            "repaired: NUL octets removed (3)",
        ),
        (
            format!("\u{feff}{HEAD}\r\nbody\r\n"),
            format!("{HEAD}\r\nbody\r\n"),
            "repaired: byte order marks before fields removed (1)",
        ),
        (
            format!(">From ann@sender.example Sat Jan  3 10:00:00 2026\r\n{HEAD}\r\nbody\r\n"),
            format!("{HEAD}\r\nbody\r\n"),
            "repaired: mbox lines among the fields removed (1)",
        ),
        (
            format!(
                "Received: from a by b; x\r\n\u{feff}>From ann@x.example Sat Jan  3 10:00\r\n{HEAD}\r\nFrom here Sat on\r\n"
            ),
            format!("Received: from a by b; x\r\n{HEAD}\r\nFrom here Sat on\r\n"),
            "repaired: byte order marks before fields removed (1)",
        ),
        (
            format!("{HEAD}\r\n{large}\r\n"),
            format!("{HEAD}\r\n{}\r\n", large.replace('\n', "\r\n")),
            "repaired: bare LF became CRLF (40000)",
        ),
    ]
}

fn reasons_of(relay: &Relay, id: &str) -> Vec<Value> {
    let judged = relay.events(id, "judged");
    let own = judged.iter().map(|event| &event["judgement"]);
    let own = own.filter(|judgement| judgement["policy"] == "relay");
    own.flat_map(|judgement| judgement["decision"]["reasons"].as_array().unwrap().clone())
        .collect()
}

/// Sends a message in chunks, parted where it is easily parted wrong; the last reply.
fn by_chunks(client: &mut Client, message: &str) -> String {
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    for octets in [&message[..1], &message[1..]] {
        client
            .send(format!("BDAT {}\r\n{octets}", octets.len()))
            .unwrap();
        client.expect(250);
    }
    client.command("BDAT 0 LAST", 250).transaction()
}

#[test]
fn a_malformed_message_is_repaired_and_on_record() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for (came, expected, reason) in cases() {
        let mut client = relay.client("mx");
        client.ehlo();
        let to = ["user@desk.example"];
        let reply = client.deliver("ann@sender.example", &to, came.as_bytes());
        let reply = reply.unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        let by_data = reply.transaction();
        // Where a stray octet was the last but the line end, nothing more is heard.
        let mut client = relay.client("mx");
        client.ehlo();
        // A byte order mark may not be parted as text.
        let ids = match came.is_char_boundary(1) {
            true => vec![by_data, by_chunks(&mut client, &came)],
            false => vec![by_data],
        };
        for id in ids {
            let taken = sink.take();
            let arrived = taken.bytes();
            let (_, rest) = trace_field_and_rest(&arrived);
            assert!(rest == expected.as_bytes(), "{}", reason);
            assert_eq!(reasons_of(&relay, &id)[0], reason);
            let told = taken.header("X-Gatepost-Reasons").unwrap();
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains(&format!("relay: {reason}")), "{told}");
        }
    }
    relay.leaves_nothing(sink);
}

#[test]
fn a_malformed_message_is_refused_if_nothing_is_repaired() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[repair]\nline-ends = false\nopening = false")
        .start();
    for (came, _, reason) in cases() {
        let mut client = relay.client("mx");
        client.ehlo();
        let to = ["user@desk.example"];
        let reply = client.deliver("ann@sender.example", &to, came.as_bytes());
        let reply = reply.unwrap();
        assert_eq!(
            (reply.code, reply.enhanced()),
            (550, Some("5.6.0")),
            "{reason}"
        );
    }
    relay.leaves_nothing(sink);
}
