//! No sequence but CRLF.CRLF ends the data, so nobody smuggles a second message in behind a first,
//! and nothing leaves the relay by which the next hop could be fooled (RFC 5321 sections 2.3.8 and
//! 4.1.1.4; CVE-2023-51764, -51765, -51766). The sequences are those of the public suite.

use std::io::ErrorKind;

use serde_json::Value;
use test_support::{Client, Relay, RelayBuilder, Sink, conformance};

use crate::trace_field_and_rest;

const FIRST: &[u8] = b"Subject: first\r\n\r\none";
const SECOND: &[u8] = b"MAIL FROM:<evil@sender.example>\r\nRCPT TO:<user@desk.example>\r\n\
    DATA\r\nSubject: smuggled\r\n\r\ntwo\r\n.\r\n";

/// Name and octets of each sequence, and whether CRLF.CRLF is in it.
fn sequences() -> Option<Vec<(String, Vec<u8>, bool)>> {
    let suite = conformance("smtp-smuggling")?;
    let text = std::fs::read_to_string(suite.join("eod_sequences.json")).unwrap();
    let suite: Value = serde_json::from_str(&text).unwrap();
    let sequences = suite["sequences"].as_array().unwrap().iter();
    let sequences = sequences.map(|sequence| {
        let name = sequence["repr"].as_str().unwrap().to_owned();
        let end = octets(sequence["eod_hex"].as_str().unwrap());
        let ends = sequence["contains_valid_crlf_dot_crlf"].as_bool().unwrap();
        (name, end, ends)
    });
    let sequences: Vec<_> = sequences.collect();
    assert_eq!(sequences.len(), 16);
    Some(sequences)
}

#[test]
fn every_sequence_makes_one_message_without_a_stray_octet() {
    let Some(sequences) = sequences() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for (name, end, ends) in sequences {
        let wire = [FIRST, &end, SECOND].concat();
        for segment in [wire.len(), 1] {
            let codes = replies(&relay, wire.chunks(segment));
            assert_eq!(codes[0], 250, "{name}: {codes:?}");
            let refused = codes[1..].iter().all(|code| *code == 421 || *code >= 500);
            assert!(refused, "{name}: {codes:?}");
            assert_eq!(codes.len() > 1, ends, "{name}: {codes:?}");
            let taken = sink.take();
            assert_eq!(taken.from, "ann@sender.example", "{name}");
            let arrived = taken.bytes();
            assert!(only_crlf(&arrived), "{name}");
            // What was to be a message of its own is in the body of this one, to the last line.
            let (_, rest) = trace_field_and_rest(&arrived);
            assert!(rest.starts_with(FIRST), "{name}");
            assert_eq!(rest.ends_with(b"two\r\n"), !ends, "{name}");
        }
    }
    relay.leaves_nothing(sink);
}

#[test]
fn where_nothing_is_repaired_every_sequence_is_refused() {
    let Some(sequences) = sequences() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[repair]\nline-ends = false")
        .start();
    for (name, end, _) in sequences {
        let wire = [FIRST, &end, SECOND].concat();
        for segment in [wire.len(), 1] {
            let codes = replies(&relay, wire.chunks(segment));
            if name == r"\r\n.\r\n\x00" {
                // A sound message; the NUL then spoils the first command behind it, and without
                // that the others do nothing.
                assert_eq!(codes[0], 250, "{name}: {codes:?}");
                assert!(
                    codes[1..].iter().all(|code| *code >= 500),
                    "{name}: {codes:?}"
                );
                let taken = sink.take();
                assert_eq!(taken.from, "ann@sender.example", "{name}");
                let arrived = taken.bytes();
                let (_, rest) = trace_field_and_rest(&arrived);
                assert_eq!(rest, [FIRST, b"\r\n"].concat(), "{name}");
                assert!(only_crlf(&arrived), "{name}");
            } else {
                // Refused after the real end, and closed without another word.
                assert_eq!(codes, [550], "{name}");
            }
        }
    }
    relay.leaves_nothing(sink);
}

/// Sends MAIL, RCPT, DATA and then the segments; all that is answered to those until the
/// connection ends.
fn replies<'a>(relay: &Relay, segments: impl Iterator<Item = &'a [u8]>) -> Vec<u16> {
    let mut client: Client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    for segment in segments {
        client.send(segment).unwrap();
    }
    // Where the relay has closed, this may find nobody.
    let _ = client.send("QUIT\r\n");
    let mut codes = Vec::new();
    loop {
        match client.reply() {
            Ok(reply) if reply.code == 221 => return codes,
            Ok(reply) => codes.push(reply.code),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return codes,
            Err(error) => panic!("{codes:?}, then {error}"),
        }
    }
}

/// Neither a bare CR nor a bare LF nor a NUL.
fn only_crlf(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message).replace("\r\n", "");
    !text.contains(['\r', '\n', '\0'])
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
