//! Messages in chunks (BDAT, RFC 3030).

use crate::common;

use common::{Server, settings};
use gatepost_smtp::server::{Abort, Limits, Settings};
use proptest::prelude::*;

fn with(limits: Limits) -> Server {
    Server::in_transaction(Settings {
        limits,
        ..settings()
    })
}

fn chunk(octets: &[u8], last: bool) -> Vec<u8> {
    let last = if last { " LAST" } else { "" };
    [
        format!("BDAT {}{last}\r\n", octets.len()).as_bytes(),
        octets,
    ]
    .concat()
}

#[test]
fn chunks_are_kept_unchanged_and_each_is_answered() {
    let mut server = Server::in_transaction(settings());
    assert_eq!(
        server.say(b"BDAT 15\r\nSubject: t\r\n\r\n."),
        "250 2.0.0 15 octets taken\r\n"
    );
    assert_eq!(server.say(b"bdat 0\r\n"), "250 2.0.0 0 octets taken\r\n");
    assert_eq!(
        server.say(b"BDAT 7 last\r\n\r\n..\r\nx"),
        "250 2.0.0 Kept as 42\r\n"
    );
    let message = &server.messages[0];
    assert_eq!(message.bytes, b"Subject: t\r\n\r\n.\r\n..\r\nx");
    assert!(!message.eight_bit);
    assert!(
        server
            .say(b"BDAT 1 LAST\r\nx")
            .starts_with("503 5.5.1 Say MAIL first")
    );
}

#[test]
fn the_last_chunk_may_be_empty_and_so_may_the_message() {
    let mut server = Server::in_transaction(settings());
    server.say(&chunk("ä\r\n".as_bytes(), false));
    assert!(server.say(b"BDAT 0 LAST\r\n").starts_with("250 2.0.0 Kept"));
    assert_eq!(server.messages[0].bytes, "ä\r\n".as_bytes());
    assert!(server.messages[0].eight_bit);
    server.say(b"MAIL FROM:<>\r\nRCPT TO:<user@desk.example>\r\n");
    assert!(server.say(b"BDAT 0 LAST\r\n").starts_with("250 2.0.0 Kept"));
    assert_eq!(server.messages[1].bytes, b"");
}

#[test]
fn a_refused_chunk_is_swallowed_and_ends_the_transaction() {
    let mut server = Server::greeted();
    let said = server.say(b"BDAT 12 LAST\r\nRSET\r\nNOOP\r\nNOOP\r\n");
    assert_eq!(Server::codes(&said), ["503", "250"]);
    server.say(b"MAIL FROM:<a@b.example>\r\n");
    let said = server.say(b"BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n");
    assert_eq!(Server::codes(&said), ["503", "503", "250"]);
    assert_eq!((server.aborted, server.closed), (1, false));
    assert!(!server.session.in_transaction());
    assert!(server.messages.is_empty());
}

#[test]
fn data_and_rcpt_are_refused_after_a_chunk() {
    for line in ["DATA", "RCPT TO:<b@desk.example>", "MAIL FROM:<>"] {
        let mut server = Server::in_transaction(settings());
        server.say(&chunk(b"a", false));
        let said = server.say(format!("{line}\r\n").as_bytes());
        assert!(said.starts_with("503 5.5.1 "), "{line}: {said}");
        server.say(&chunk(b"b\r\n", true));
        assert_eq!(server.messages[0].bytes, b"ab\r\n");
    }
}

#[test]
fn a_transaction_given_up_between_chunks_leaves_nothing() {
    for line in ["RSET", "EHLO c", "QUIT"] {
        let mut server = Server::in_transaction(settings());
        server.say(&chunk(b"a", false));
        server.say(format!("{line}\r\n").as_bytes());
        assert_eq!((server.aborted, server.messages.len()), (1, 0), "{line}");
        assert_eq!(server.abort, Some(Abort::GivenUp));
    }
}

#[test]
fn a_malformed_bdat_ends_the_session() {
    for (line, code) in [
        ("BDAT", "501 5.5.4 "),
        ("BDAT -1 LAST", "501 5.5.4 "),
        ("BDAT +1", "501 5.5.4 "),
        ("BDAT 1x", "501 5.5.4 "),
        ("BDAT LAST", "501 5.5.4 "),
        ("BDAT 1 LAST x", "501 5.5.4 "),
        ("BDAT 1 FIRST", "501 5.5.4 "),
        ("BDAT 99999999999999999999 LAST", "552 5.3.4 "),
        ("BDAT\t1", "501 5.5.4 "),
        ("BDAT1", "501 5.5.4 "),
        ("BDATA 1", "501 5.5.4 "),
        (" BDAT 1", "501 5.5.4 "),
        ("BDAT 1\0", "501 5.5.4 "),
        ("BDAT 1\nNOOP", "501 5.5.4 "),
        (&format!("BDAT {}1", "0".repeat(4000)), "501 5.5.4 "),
    ] {
        let mut server = Server::in_transaction(settings());
        let said = server.say(format!("{line}\r\nNOOP\r\n").as_bytes());
        assert!(said.starts_with(code), "{line}: {said}");
        assert_eq!(Server::codes(&said).len(), 1, "{line}: {said}");
        assert_eq!((server.closed, server.aborted), (true, 1), "{line}");
    }
}

/// Returns the octets that a line announces, by the grammar of RFC 3030 section 2 with any number
/// of spaces between its words; `None` if it is no valid BDAT.
fn announced(line: &[u8]) -> Option<u64> {
    let text = str::from_utf8(line).ok()?.trim_ascii_end();
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let named = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
    let verb = text.get(..4).is_some_and(|verb| named(verb, "BDAT")) && words.next()?.len() == 4;
    let size = words.next()?;
    let digits = size.bytes().all(|octet| octet.is_ascii_digit());
    let last = words.next().is_none_or(|last| named(last, "LAST"));
    (verb && digits && last && words.next().is_none()).then(|| size.parse().ok())?
}

/// Generates lines that begin with BDAT, valid and malformed, without their CRLF.
fn bdat_lines() -> impl Strategy<Value = Vec<u8>> {
    let verb = prop::sample::select(vec!["BDAT", "bdat", "BdAt", " BDAT", "\tbdat"]);
    let rest = prop_oneof![
        4 => "( {1,2}[0-9]{0,3}){0,2}( (LAST|last|L))?[ \t]{0,2}".prop_map(String::into_bytes),
        1 => "[ =;,\t\x00\n\x0b\u{a0}+-]{0,3}[0-9A-Za-z ]{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => " [0-9]{20,30}".prop_map(String::into_bytes),
        // Longer than a command may be.
        1 => " [0-9 ]{100,140}( LAST)?".prop_map(String::into_bytes),
    ];
    (verb, rest)
        .prop_map(|(verb, rest)| [verb.as_bytes(), &rest].concat())
        .prop_filter("one line", |line| {
            !line.windows(2).any(|pair| pair == b"\r\n") && !line.ends_with(b"\r")
        })
}

proptest! {
    /// A line that begins with BDAT either announces octets, which are never commands, or ends the
    /// session, so that nothing after it is read.
    #[test]
    fn octets_after_bdat_are_never_run_as_commands(
        line in bdat_lines(),
        in_transaction: bool,
        piece in 1..200_usize,
    ) {
        let settings = Settings {
            limits: Limits { command_line: 100, ..Limits::default() },
            ..settings()
        };
        let mut server = match in_transaction {
            true => Server::in_transaction(settings),
            false => Server::with(settings, false),
        };
        // What a message may hold and a session must not hear: commands, one in each line.
        let octets = b"VRFY x\r\n".repeat(125);
        let size = announced(&line).filter(|_| line.len() + 2 <= 100);
        let sent = [&line[..], b"\r\n", &octets].concat();
        let said: String = sent.chunks(piece).map(|piece| server.say(piece)).collect();
        let codes = Server::codes(&said);
        match size {
            Some(size) => {
                let heard = codes.iter().filter(|code| **code == "252").count();
                prop_assert!(heard as u64 * 8 <= 1000 - size.min(1000), "{said}");
                prop_assert!(size >= 1000 || !codes.is_empty());
                prop_assert!(!server.closed || codes.last() == Some(&"421"), "{said}");
            }
            None => {
                prop_assert!(server.closed);
                prop_assert!(matches!(&codes[..], ["501" | "552"]), "{said}");
            }
        }
    }
}

#[test]
fn limits_hold_over_all_chunks_together() {
    let limits = || Limits {
        message_size: 40,
        header_size: 30,
        line: 10,
        ..Limits::default()
    };
    for (chunks, code) in [
        (
            &[
                "\r\nabc\r\n",
                "abcdefgh\r\n",
                "abcdefgh\r\n",
                "abcdefgh\r\nabc\r\n",
            ][..],
            "552 5.3.4 Message",
        ),
        (
            &["a\r\n", "abcdefgh\r\nabcdefgh\r\n", "abcdefgh\r\n"],
            "552 5.3.4 Header",
        ),
        (&["\r\nabcdef", "ghijk", "\r\n"], "500 5.6.0 "),
        (&["\r\nab\r", "cd\r\n"], "550 5.6.0 "),
        (&["\r\nab\ncd\r\n"], "550 5.6.0 "),
        (&["\r\nab\r"], "550 5.6.0 "),
        (&["\r\na\0\r\n"], "550 5.6.0 "),
    ] {
        let mut server = with(Limits {
            repair_line_ends: false,
            ..limits()
        });
        let (last, before) = chunks.split_last().unwrap();
        let mut said = String::new();
        for octets in before {
            said += &server.say(&chunk(octets.as_bytes(), false));
        }
        said += &server.say(&chunk(last.as_bytes(), true));
        let refused = said.lines().find(|line| line.starts_with('5'));
        assert!(refused.unwrap().starts_with(code), "{chunks:?}: {said}");
        assert_eq!(Server::codes(&said).len(), chunks.len(), "{said}");
        assert_eq!((server.aborted, server.messages.len()), (1, 0));
        assert!(server.say(b"NOOP\r\n").starts_with("250 "));
    }
    // As long as it may be; the CR and the LF of a line may come apart.
    let mut server = with(limits());
    for octets in ["\r\nabcdefghij\r", "\nabcdefghij\r\n", "abcdefghij\r", "\n"] {
        server.say(&chunk(octets.as_bytes(), false));
    }
    assert!(server.say(b"BDAT 0 LAST\r\n").starts_with("250 "));
}

#[test]
fn a_chunk_too_large_is_refused_after_its_octets_and_is_one_error() {
    let mut server = with(Limits {
        message_size: 1000,
        errors: 2,
        ..Limits::default()
    });
    assert_eq!(server.say(b"BDAT 1001\r\n"), "");
    for _ in 0..10 {
        assert_eq!(server.say(&b"NOOP\r\n"[..].repeat(16)), "");
    }
    let said = server.say(&[&[b'x'; 41][..], &chunk(b"x", false), &chunk(b"x", true)].concat());
    assert_eq!(Server::codes(&said), ["552", "503", "503"]);
    let reply = server.abort.clone();
    assert!(matches!(reply, Some(Abort::Refused { reply, size: 0 }) if reply.code() == 552));
    assert!(server.say(b"NOOP\r\n").starts_with("250 "));
}

#[test]
fn many_chunks_are_progress_and_empty_ones_are_not() {
    let limits = || Limits {
        idle_commands: 10,
        ..Limits::default()
    };
    let mut server = with(limits());
    for _ in 0..100 {
        assert!(server.say(b"BDAT 1\r\nx").starts_with("250 "));
    }
    assert!(server.say(b"BDAT 0 LAST\r\n").starts_with("250 "));
    let mut server = with(limits());
    let said = server.say(&b"BDAT 0\r\n"[..].repeat(20));
    assert_eq!(Server::codes(&said).last(), Some(&"421"));
    assert_eq!((server.closed, server.aborted), (true, 1));
}

#[test]
fn a_time_out_in_a_chunk_reports_the_octets_received() {
    let mut server = Server::in_transaction(settings());
    server.say(b"BDAT 4\r\nabcdBDAT 10\r\nabc");
    server.session.time_out();
    assert!(server.hear().starts_with("421 4.4.2 "));
    assert!(matches!(server.abort, Some(Abort::Refused { size: 7, .. })));
}

#[test]
fn binarymime_is_refused() {
    let said = Server::greeted().say(b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n");
    assert!(said.starts_with("555 5.6.1 "), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The message is the same however it is cut into chunks and the stream into segments.
    #[test]
    fn chunks_and_segments_do_not_change_the_message(
        lines in prop::collection::vec("[.a-z\u{e4}]{0,5}", 0..20),
        end in "[.a-z]{0,3}",
        chunks in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        segments in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let message = lines.into_iter().map(|line| line + "\r\n").collect::<String>() + &end;
        let cut = |bytes: &[u8], at: &[prop::sample::Index]| {
            let mut at: Vec<_> = at.iter().map(|at| at.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            at.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect::<Vec<_>>()
        };
        let chunks = cut(message.as_bytes(), &chunks);
        let (last, before) = chunks.split_last().unwrap();
        let mut stream: Vec<u8> = before.iter().flat_map(|octets| chunk(octets, false)).collect();
        stream.extend(chunk(last, true));
        stream.extend_from_slice(b"NOOP\r\n");
        let mut server = Server::in_transaction(settings());
        let said: String = cut(&stream, &segments).iter().map(|segment| server.say(segment)).collect();
        prop_assert_eq!(Server::codes(&said), vec!["250"; chunks.len() + 1]);
        prop_assert_eq!(&server.messages[0].bytes, message.as_bytes());
        prop_assert_eq!(server.messages[0].eight_bit, !message.is_ascii());
    }
}
