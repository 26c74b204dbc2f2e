//! Public conformance suites: end-of-data smuggling, and the SMTP dialogues that a session alone
//! can be tested with.

use crate::common;

use common::{Server, conformance, settings, strict};
use gatepost_smtp::server::{AuthOffer, Settings, StartTls};
use serde_json::Value;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn no_sequence_smuggles_a_second_message() {
    let Some(suite) = conformance("smtp-smuggling/eod_sequences.json") else {
        return;
    };
    let sequences = suite["sequences"].as_array().unwrap();
    assert_eq!(sequences.len(), 16);
    for sequence in sequences {
        let name = sequence["repr"].as_str().unwrap();
        let mut wire = b"Subject: one\r\n\r\none".to_vec();
        wire.extend(hex(sequence["eod_hex"].as_str().unwrap()));
        wire.extend(
            b"MAIL FROM:<evil@sender.example>\r\nRCPT TO:<user@desk.example>\r\nDATA\r\n\
              Subject: smuggled\r\n\r\ntwo\r\n.\r\n",
        );
        for step in [1, 2, 3, 7, wire.len()] {
            let mut server = Server::in_transaction(strict());
            let said = play_segments(&mut server, &wire, step);
            // Only `CRLF.CRLF NUL` ends a sound message; its NUL makes the next command faulty.
            let sound = name == "\\r\\n.\\r\\n\\x00";
            assert_eq!(server.messages.len(), usize::from(sound), "{name}: {said}");
            if !sound {
                assert!(said.starts_with("550 5.6.0 "), "{name}: {said}");
                assert_eq!(
                    (Server::codes(&said).len(), server.closed),
                    (1, true),
                    "{name}: {said}"
                );
            }
            // With repairs it is one message, too: the smuggled message is part of its body.
            let mut server = Server::in_transaction(settings());
            let said = play_segments(&mut server, &wire, step);
            assert_eq!(server.messages.len(), 1, "{name}: {said}");
            let [message] = &server.messages[..] else {
                panic!("{name}");
            };
            assert_eq!(message.mail.reverse_path.to_string(), "a@sender.example");
            let lines = String::from_utf8(message.bytes.clone()).unwrap();
            let ends = lines.matches("\r\n").count();
            assert_eq!(
                lines.matches(['\r', '\n', '\0']).count(),
                ends * 2,
                "{name}"
            );
            let ended = sequence["contains_valid_crlf_dot_crlf"].as_bool().unwrap();
            assert_eq!(lines.contains("smuggled"), !ended, "{name}: {lines:?}");
        }
    }
}

fn play_segments(server: &mut Server, wire: &[u8], step: usize) -> String {
    server.say(b"DATA\r\n");
    wire.chunks(step)
        .map(|segment| server.say(segment))
        .collect()
}

#[test]
fn sessions_follow_the_dialogues() {
    let Some(suite) = conformance("smtp-dialogs/dialogs-generic.json") else {
        return;
    };
    let mut played = 0;
    for dialogue in suite["dialogs"].as_array().unwrap() {
        let id = dialogue["id"].as_str().unwrap();
        play(id, dialogue);
        played += 1;
    }
    assert!(played > 60, "only {played} dialogues were played");
}

fn play(id: &str, dialogue: &Value) {
    let tls = dialogue["tls"].as_bool().unwrap();
    let settings = Settings {
        start_tls: StartTls::Offered,
        auth: AuthOffer::UnderTls,
        ..settings()
    };
    let mut server = Server::new(settings, tls);
    let steps: Vec<_> = dialogue["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect();
    let octets = steps.contains(&"@byte-by-byte");
    let mut said = server.hear();
    let say = |server: &mut Server, said: &mut String, bytes: &[u8]| {
        let step = if octets { 1 } else { bytes.len().max(1) };
        bytes
            .chunks(step)
            .for_each(|segment| said.push_str(&server.say(segment)));
    };
    for step in steps {
        let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
        match word {
            ">" => say(
                &mut server,
                &mut said,
                &[&unescape(rest), &b"\r\n"[..]].concat(),
            ),
            ">>bdat" => {
                let (last, text) = match rest.strip_prefix("LAST ") {
                    Some(text) => (" LAST", text),
                    None => ("", rest),
                };
                let octets = unescape(text);
                let command = format!("BDAT {}{last}\r\n", octets.len());
                say(
                    &mut server,
                    &mut said,
                    &[command.as_bytes(), &octets].concat(),
                );
            }
            ">>" => say(&mut server, &mut said, &unescape(rest)),
            ">>*" => {
                let (octet, count) = rest.split_once(' ').unwrap();
                say(
                    &mut server,
                    &mut said,
                    octet.repeat(count.parse().unwrap()).as_bytes(),
                );
            }
            ">>*line" => {
                let (line, count) = rest.rsplit_once(' ').unwrap();
                let line = unescape(line.trim_matches('"'));
                say(&mut server, &mut said, &line.repeat(count.parse().unwrap()));
            }
            "<" => said = expect(id, rest, said, server.closed),
            _ if word.starts_with('*') => {
                let line = rest.strip_prefix("> ").unwrap();
                let lines = format!("{line}\r\n").repeat(word[1..].parse().unwrap());
                say(&mut server, &mut said, lines.as_bytes());
            }
            // The handshake is over when the reply is read.
            _ if word.starts_with('@') => {}
            _ => panic!("{id}: unknown step {step}"),
        }
    }
    assert!(
        server.messages.iter().all(|message| !message
            .mail
            .reverse_path
            .to_string()
            .starts_with("evil"))
    );
}

/// Splits off one reply, which must be one of those expected.
fn expect(id: &str, expected: &str, said: String, closed: bool) -> String {
    let expected = expected.split(" (").next().unwrap();
    if said.is_empty() {
        assert!(
            closed && expected.contains("close"),
            "{id}: nothing was said, expected {expected}"
        );
        return said;
    }
    let mut end = 0;
    for line in said.split_inclusive("\r\n") {
        end += line.len();
        if line.as_bytes()[3] == b' ' {
            break;
        }
    }
    let (reply, rest) = said.split_at(end);
    let fits = expected
        .split('|')
        .any(|code| reply.starts_with(code.trim_end_matches("xx")));
    assert!(fits, "{id}: {reply:?}, expected {expected}");
    rest.to_owned()
}

/// Decodes Python's escapes, as far as the suite uses them.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'\\', [b'r', ..]) => out.push(b'\r'),
            (b'\\', [b'n', ..]) => out.push(b'\n'),
            (b'\\', [b'x', high, low, ..]) => {
                out.extend(hex(str::from_utf8(&[*high, *low]).unwrap()));
                rest = &tail[2..];
            }
            (octet, _) => {
                out.push(*octet);
                continue;
            }
        }
        rest = &rest[1..];
    }
    out
}
