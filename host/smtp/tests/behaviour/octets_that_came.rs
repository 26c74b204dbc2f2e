//! The limit on a message counts the octets received, not only those kept.

use crate::common;

use common::{Server, settings};
use gatepost_smtp::server::{Limits, Settings};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const LIMIT: usize = 300;

fn limited() -> Settings {
    let limits = Limits {
        message_size: LIMIT as u64,
        ..Limits::default()
    };
    Settings {
        limits,
        ..settings()
    }
}

fn split<'a>(octets: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
    cuts.extend([0, octets.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &octets[pair[0]..pair[1]])
        .collect()
}

/// Sends the message by DATA, with stuffed dots, which count in no size; returns the replies.
fn by_data(raw: &[u8], cuts: &[prop::sample::Index]) -> (Server, String) {
    let mut wire = Vec::new();
    let mut line_start = true;
    for (at, octet) in raw.iter().enumerate() {
        if line_start && *octet == b'.' {
            wire.push(b'.');
        }
        wire.push(*octet);
        line_start = raw[..=at].ends_with(b"\r\n");
    }
    wire.extend(b".\r\n");
    let mut server = Server::in_transaction(limited());
    server.say(b"DATA\r\n");
    let said = split(&wire, cuts).into_iter().map(|part| server.say(part));
    let said = said.collect();
    (server, said)
}

/// Sends the message by BDAT in chunks; returns the last reply.
fn by_chunks(raw: &[u8], cuts: &[prop::sample::Index]) -> (Server, String) {
    let mut server = Server::in_transaction(limited());
    let mut last = String::new();
    let parts = split(raw, cuts);
    for (at, part) in parts.iter().enumerate() {
        let end = if at + 1 == parts.len() { " LAST" } else { "" };
        last = server.say(format!("BDAT {}{end}\r\n", part.len()).as_bytes());
        last += &server.say(part);
        if last.starts_with('5') {
            break;
        }
    }
    (server, last)
}

/// Generates messages with octets that are kept, removed or replaced by repairs.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"\0".repeat(20)),
        2 => Just(b"Subject: t\r\n".to_vec()),
        2 => Just(b"some words\r\n".to_vec()),
        1 => Just(b".\r\n..\r\n".to_vec()),
        1 => Just(b"\r".repeat(7)),
        1 => Just(b"\n".repeat(5)),
        1 => Just(b"\r\r\r\n".to_vec()),
        1 => Just(b"\xef\xbb\xbf".to_vec()),
        1 => Just(b"From ann@x.example Sat Jan  3 10:00:00 2026\r\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
    ];
    let pieces = prop::collection::vec(piece, 0..40);
    pieces.prop_map(|pieces| [&pieces.concat()[..], b"end\r\n"].concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(1870),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_message_is_refused_if_more_than_the_limit_was_received(
        raw in message(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        for (server, said) in [by_data(&raw, &cuts), by_chunks(&raw, &cuts)] {
            match server.messages.as_slice() {
                [] => {
                    prop_assert!(said.starts_with("552 5.3.4 "), "{said}");
                    prop_assert_eq!(server.aborted, 1);
                }
                [taken] => {
                    prop_assert!(raw.len() <= LIMIT && taken.bytes.len() <= LIMIT);
                }
                more => prop_assert!(false, "{more:?}"),
            }
            // A message that fits before and after repair is accepted.
            let grows = raw.iter().filter(|octet| matches!(octet, b'\r' | b'\n')).count();
            let fits = raw.len() + grows <= LIMIT;
            prop_assert!(!fits || server.messages.len() == 1, "{said}");
        }
    }
}

#[test]
fn forty_mebibytes_of_nul_are_too_large() {
    let piece = vec![0; 1 << 20];
    let mut server = Server::in_transaction(settings());
    server.say(b"DATA\r\n");
    server.say(b"Subject: t\r\n\r\n");
    for _ in 0..40 {
        assert_eq!(server.say(&piece), "");
    }
    let said = server.say(b"\r\n.\r\n");
    assert!(said.starts_with("552 5.3.4 Message too large"), "{said}");
    assert_eq!(server.bytes, b"Subject: t\r\n\r\n");

    let mut server = Server::in_transaction(settings());
    for taken in 0.. {
        server.say(b"BDAT 1048576\r\n");
        let said = server.say(&piece);
        if said.starts_with("552 5.3.4 Message too large") {
            assert_eq!(taken, 25);
            break;
        }
        assert!(said.starts_with("250 "), "{taken}: {said}");
    }
}

#[test]
fn stuffed_dots_do_not_count_towards_the_limit() {
    let raw = [&b".\r\n".repeat(99)[..], b"x\r\n"].concat();
    assert_eq!(raw.len(), LIMIT);
    for (server, said) in [by_data(&raw, &[]), by_chunks(&raw, &[])] {
        assert_eq!(server.messages.len(), 1, "{said}");
        assert_eq!(server.messages[0].bytes, raw);
    }
}
