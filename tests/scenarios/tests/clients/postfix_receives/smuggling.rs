//! No sequence of the public suite smuggles a second message past the relay into Postfix, be it as it
//! comes or as it was before it looked for such.

use std::io::ErrorKind;

use serde_json::Value;
use test_support::{Client, Postfix, Relay, RelayBuilder, Sink, conformance};

use crate::nothing_is_left;

const FIRST: &[u8] = b"From: Ann <ann@sender.example>\r\nSubject: first\r\n\r\none";
const SECOND: &[u8] = b"MAIL FROM:<evil@sender.example>\r\nRCPT TO:<user@desk.example>\r\n\
    DATA\r\nSubject: smuggled\r\n\r\ntwo\r\n.\r\n";

#[test]
fn each_is_one_message_behind_a_postfix_that_takes_any_line_end() {
    one_message_each("smtpd_forbid_bare_newline = no");
}

#[test]
fn each_is_one_message_behind_a_postfix_as_it_comes() {
    one_message_each("");
}

fn one_message_each(main: &str) {
    let Some(suite) = conformance("smtp-smuggling") else {
        return;
    };
    let sink = Sink::start();
    let Some(postfix) = Postfix::with(sink.address(), main) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    let text = std::fs::read_to_string(suite.join("eod_sequences.json")).unwrap();
    let suite: Value = serde_json::from_str(&text).unwrap();
    let sequences = suite["sequences"].as_array().unwrap();
    assert_eq!(sequences.len(), 16);
    for sequence in sequences {
        let end = octets(sequence["eod_hex"].as_str().unwrap());
        let code = sent(&relay, &[FIRST, &end, SECOND].concat());
        assert_eq!(code, 250, "{sequence}");
        let taken = sink.take();
        assert_eq!(taken.from, "ann@sender.example", "{sequence}");
        assert_eq!(taken.header("Subject").as_deref(), Some("first"));
    }
    // Whatever a client could smuggle would have arrived by now, or be in a queue.
    nothing_is_left(relay, postfix, sink);
}

/// Sends these octets behind DATA; the first reply to them, once the session has ended.
fn sent(relay: &Relay, wire: &[u8]) -> u16 {
    let mut client: Client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    client.send(wire).unwrap();
    let _ = client.send("QUIT\r\n");
    let first = client.reply().unwrap().code;
    loop {
        match client.reply() {
            Ok(reply) if reply.code == 221 => return first,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return first,
            Err(error) => panic!("{error}"),
        }
    }
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
