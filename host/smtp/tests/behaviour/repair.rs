//! Line ends, NULs and lines above the first field are repaired as they arrive: every receiver then
//! sees one and the same message, and the original can be restored.

use crate::common;

use bytes::Bytes;
use common::{Received, Server, settings, strict};
use gatepost_smtp::client::Framer;
use gatepost_smtp::server::{Limits, Settings};
use proptest::prelude::*;

/// Returns the repaired message by a simple model of the rules, octet by octet.
fn model(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        let cr = raw[at..]
            .iter()
            .take_while(|octet| **octet == b'\r')
            .count();
        match raw.get(at + cr) {
            // Any number of CR belong to the LF, up to a bound that these messages do not reach.
            Some(b'\n') => {
                out.extend(b"\r\n");
                at += cr + 1;
            }
            _ if cr > 0 => {
                out.extend(b"\r\n".repeat(cr));
                at += cr;
            }
            Some(0) => at += 1,
            Some(octet) => {
                out.push(*octet);
                at += 1;
            }
            None => {}
        }
    }
    out
}

/// Sends the message by DATA, stuffing dots after CRLF alone.
fn by_data(raw: &[u8], cuts: &[prop::sample::Index]) -> Server {
    let mut wire = Vec::new();
    let mut line_start = true;
    for (at, octet) in raw.iter().enumerate() {
        if line_start && *octet == b'.' {
            wire.push(b'.');
        }
        wire.push(*octet);
        line_start = raw[..=at].ends_with(b"\r\n");
    }
    if !line_start {
        wire.extend(b"\r\n");
    }
    wire.extend(b".\r\n");
    let mut server = Server::in_transaction(settings());
    server.say(b"DATA\r\n");
    for segment in split(&wire, cuts) {
        server.say(segment);
    }
    server
}

/// Sends the message by BDAT in chunks.
fn by_chunks(raw: &[u8], cuts: &[prop::sample::Index]) -> Server {
    let mut server = Server::in_transaction(settings());
    for segment in split(raw, cuts) {
        let command = format!("BDAT {}\r\n", segment.len());
        let (first, second) = segment.split_at(segment.len() / 2);
        server.say(command.as_bytes());
        server.say(first);
        server.say(second);
    }
    server.say(b"BDAT 0 LAST\r\n");
    server
}

fn split<'a>(octets: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
    places.extend([0, octets.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &octets[pair[0]..pair[1]])
        .collect()
}

fn only_message(server: &Server) -> &Received {
    let [message] = &server.messages[..] else {
        panic!("{} messages", server.messages.len());
    };
    message
}

/// Returns the number of messages that a receiver with these line ends finds after DATA.
fn count_messages(wire: &[u8], line_ends: &[&[u8]], drops_nul: bool) -> usize {
    let wire: Vec<u8> = wire
        .iter()
        .copied()
        .filter(|octet| !drops_nul || *octet != 0)
        .collect();
    let mut found = 0;
    let mut at = 0;
    let mut line_start = true;
    while at < wire.len() {
        let end_at = |at: usize| {
            let mut ends = line_ends.iter();
            ends.find(|end| wire[at..].starts_with(end))
                .map(|end| end.len())
        };
        if line_start
            && wire[at] == b'.'
            && let Some(length) = end_at(at + 1)
        {
            found += 1;
            at += 1 + length;
            continue;
        }
        match end_at(at) {
            Some(length) => (at, line_start) = (at + length, true),
            None => (at, line_start) = (at + 1, false),
        }
    }
    found
}

/// Asserts that every receiver finds one message, and that it holds CRLF and no other line ends.
fn assert_sound(message: &[u8]) {
    assert!(!message.contains(&0));
    let text = message.to_vec();
    let pairs = text.windows(2).filter(|pair| pair == b"\r\n").count();
    let count = |octet: u8| text.iter().filter(|o| **o == octet).count();
    assert_eq!((count(b'\r'), count(b'\n')), (pairs, pairs));
    let mut framer = Framer::data();
    let mut wire = framer
        .push(Bytes::copy_from_slice(message))
        .unwrap()
        .to_vec();
    wire.extend(framer.finish().unwrap());
    let crlf: &[u8] = b"\r\n";
    for line_ends in [
        &[crlf][..],
        &[crlf, b"\n"],
        &[crlf, b"\r"],
        &[crlf, b"\n", b"\r"],
        &[b"\n"],
        &[b"\r\r\n", crlf, b"\n\r", b"\n", b"\r"],
    ] {
        for drops_nul in [false, true] {
            // A receiver whose lines end in LF alone sees a CR before it, and so no end at all.
            let expected = usize::from(line_ends != [b"\n"]);
            assert_eq!(
                count_messages(&wire, line_ends, drops_nul),
                expected,
                "{line_ends:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_made_sound_and_its_original_is_known(
        body in prop::collection::vec(prop::sample::select(&b"\r\r\n\n\0..a:\xe9"[..]), 0..40),
        head in prop::sample::select(&["", "A: 1\r\n", "A: 1\r\nB: 2\r\n\r\n", "A: 1\n\n"][..]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let raw = [head.as_bytes(), &body].concat();
        let server = by_chunks(&raw, &cuts);
        let message = only_message(&server);
        prop_assert_eq!(&message.bytes, &model(&raw));
        prop_assert_eq!(message.eight_bit, message.bytes.contains(&0xe9));
        assert_sound(&message.bytes);
        prop_assert_eq!(message.original.as_ref().unwrap_or(&message.bytes), &raw);
        prop_assert_eq!(message.original.is_none(), message.repaired.is_empty());

        // DATA adds a line end where the last line has none.
        let ended = match raw.ends_with(b"\r\n") || raw.is_empty() {
            true => raw,
            false => [&raw, &b"\r\n"[..]].concat(),
        };
        let server = by_data(&ended, &cuts);
        let message = only_message(&server);
        prop_assert_eq!(&message.bytes, &model(&ended));
        assert_sound(&message.bytes);
        prop_assert_eq!(message.original.as_ref().unwrap_or(&message.bytes), &ended);
    }

    #[test]
    fn segments_do_not_change_the_repair_above_the_first_field(
        above in prop::collection::vec(prop::sample::select(&[
            "\u{feff}", ">From a@b.example Sat Jan  3\r\n", "From a@b Sat\n", ">>From x\r\r\n", "From", ">", "F", "\r\n", "From :", ".\r\n",
        ][..]), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let raw = format!("{}From: a@b.example\r\n\r\n.b\r\n", above.concat());
        let whole = by_data(raw.as_bytes(), &[]);
        let parted = by_data(raw.as_bytes(), &cuts);
        let chunked = by_chunks(raw.as_bytes(), &cuts);
        // The message may end early at a line that is a dot; commands follow then.
        prop_assert_eq!(&whole.messages, &parted.messages);
        let ends_early = !whole.messages.first().is_some_and(|message| message.bytes.ends_with(b".b\r\n"));
        prop_assert!(ends_early || only_message(&whole).bytes == only_message(&chunked).bytes);
    }
}

#[test]
fn lines_above_the_first_field_are_removed() {
    let field = "From: a@b.example\r\n\r\nb\r\n";
    for (above, repaired) in [
        ("", 0),
        ("\u{feff}", 1),
        ("From a@b.example Sat Jan  3 10:00:00 2026\r\n", 1),
        (">From a@b.example Sat Jan  3 10:00:00 2026\r\n", 1),
        ("\u{feff}>>From a\r\nFrom b\r\n", 2),
        (">From a@b.example Sat Jan  3\n", 1),
    ] {
        let raw = format!("{above}{field}");
        for server in [by_data(raw.as_bytes(), &[]), by_chunks(raw.as_bytes(), &[])] {
            let message = only_message(&server);
            assert_eq!(message.bytes, field.as_bytes(), "{above:?}");
            assert_eq!(message.repaired.len(), repaired, "{:?}", message.repaired);
        }
    }
    // Servers on the way put their fields above an mbox line; there, its date identifies it.
    let above = "Received: from a by b; x\r\n";
    for (among, repaired) in [
        ("\u{feff}", 1),
        (">From a@b.example Sat Jan  3 10:00:00 2026\r\n", 1),
        ("From a@b.example Sat Jan  3\n\u{feff}", 2),
    ] {
        let raw = format!("{above}{among}{field}From a@b.example Sat Jan  3\r\n\u{feff}\r\n");
        for server in [by_data(raw.as_bytes(), &[]), by_chunks(raw.as_bytes(), &[])] {
            let message = only_message(&server);
            let expected = format!("{above}{field}From a@b.example Sat Jan  3\r\n\u{feff}\r\n");
            assert_eq!(message.bytes, expected.as_bytes(), "{among:?}");
            assert_eq!(message.repaired.len(), repaired, "{:?}", message.repaired);
            // A signature above a byte order mark covers the mark.
            let marked = format!("{above}\u{feff}{field}");
            let original = message.original.as_ref();
            assert!(original.is_none_or(|came| came.starts_with(marked.as_bytes())));
            assert_eq!(original.is_some(), among.contains('\u{feff}'));
        }
    }
    for kept in [
        "A: 1\r\nFrom here on\r\n\r\n",
        "A: 1\r\n>From a@b Jan 3\r\n\r\n",
        "From : a@b.example\r\n\r\n",
        "From\r\n\r\n",
        "From \r\n\r\n",
        "Fromage: 1\r\n\r\n",
        "> From a\r\n\r\n",
        "From",
        ">",
    ] {
        let message = by_chunks(kept.as_bytes(), &[]);
        assert_eq!(only_message(&message).bytes, kept.as_bytes());
        assert!(only_message(&message).repaired.is_empty());
    }
    let raw = format!("\u{feff}{field}");
    let mut server = Server::in_transaction(strict());
    server.data(format!("{raw}.\r\n").as_bytes());
    assert_eq!(only_message(&server).bytes, raw.as_bytes());
}

#[test]
fn a_dot_after_a_removed_line_ends_nothing_without_crlf() {
    let mut server = Server::in_transaction(settings());
    let said = server.data(b">From a@b Sat\n.\r\nMAIL FROM:<evil@x.example>\r\n.\r\n");
    assert_eq!(Server::codes(&said), ["250"], "{said}");
    assert_eq!(
        only_message(&server).bytes,
        b".\r\nMAIL FROM:<evil@x.example>\r\n"
    );
}

#[test]
fn a_doubtful_end_ends_the_session() {
    let evil = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<user@desk.example>\r\nDATA\r\ntwo\r\n.\r\n";
    for end in ["\0\r\n.\r\n", "\r\r\n.\r\n", "\n\r\n.\r\n"] {
        let mut server = Server::in_transaction(settings());
        let said = server.data(&[b"one", end.as_bytes(), evil].concat());
        assert_eq!(Server::codes(&said), ["250", "421"], "{end:?}: {said}");
        assert!(server.closed);
        assert!(only_message(&server).bytes.starts_with(b"one\r\n"));
    }
    let mut server = Server::in_transaction(settings());
    let said = server.data(b"one\0\r\n.\r\nQUIT\r\n");
    assert_eq!(Server::codes(&said), ["250", "221"], "{said}");
    // Elsewhere in a message stray octets do not end the session.
    let mut server = Server::in_transaction(settings());
    let said = server.data(b"one\0\r\ntwo\n\r\nthree\r\n.\r\nNOOP\r\n");
    assert_eq!(Server::codes(&said), ["250", "250"], "{said}");
}

#[test]
fn lines_above_the_first_field_are_limited() {
    let limits = Limits {
        message_size: 1000,
        ..Limits::default()
    };
    let mut server = Server::in_transaction(Settings {
        limits,
        ..settings()
    });
    let said = server.data(&[b"From a\r\n".repeat(10_000), b".\r\n".to_vec()].concat());
    assert!(said.starts_with("552 5.3.4 "), "{said}");
}

#[test]
fn limits_count_the_repaired_octets() {
    let limits = Limits {
        message_size: 1000,
        line: 10,
        ..Limits::default()
    };
    let with = |message: &[u8]| {
        let mut server = Server::in_transaction(Settings {
            limits: limits.clone(),
            ..settings()
        });
        server.data(message)
    };
    // Lines that end in LF are lines, and each grows by an octet.
    let lines = |count: usize| [&b"\r\n"[..], &b"12345678\n".repeat(count), b"\r\n.\r\n"].concat();
    assert!(with(&lines(99)).starts_with("250 "));
    assert!(with(&lines(100)).starts_with("552 5.3.4 "));
    assert!(
        with(&[&b"\r\n"[..], &b"\r".repeat(600), b"x\r\n.\r\n"].concat()).starts_with("552 5.3.4 ")
    );
    assert!(with(b"\r\n1234567890a\n\r\n.\r\n").starts_with("500 5.6.0 "));
}

#[test]
fn repairs_beyond_the_bound_are_counted_but_not_remembered() {
    let raw = [&b"A: 1\r\n\r\n"[..], &b"x\n".repeat(40_000), b"\r\n"].concat();
    let server = by_data(&raw, &[]);
    let message = only_message(&server);
    assert_eq!(message.bytes, model(&raw));
    assert_eq!(message.repaired, ["repaired: bare LF became CRLF (40000)"]);
    assert!(message.original.is_none());
}
