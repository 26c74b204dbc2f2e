//! Messages after DATA: their end, their dots, their limits.

use crate::common;

use common::{Server, settings, strict};
use gatepost_smtp::server::{Abort, Limits, Settings};

#[track_caller]
fn refused(limits: Limits, message: &[u8], reply: &str) -> Server {
    let mut server = Server::in_transaction(Settings {
        limits,
        ..settings()
    });
    let said = server.data(message);
    assert!(said.starts_with(&format!("{reply} ")), "{said}");
    assert_eq!(Server::codes(&said).len(), 1, "{said}");
    assert_eq!((server.messages.len(), server.aborted), (0, 1));
    server
}

#[track_caller]
fn received(limits: Limits, message: &[u8]) -> Vec<u8> {
    let mut server = Server::in_transaction(Settings {
        limits,
        ..settings()
    });
    let said = server.data(message);
    assert_eq!(said, "250 2.0.0 Kept as 42\r\n");
    server.messages.remove(0).bytes
}

#[test]
fn stuffed_dots_are_removed() {
    let bytes = received(Limits::default(), b"..a\r\n...\r\n..\r\nb.\r\n.c\r\n.\r\n");
    assert_eq!(bytes, b".a\r\n..\r\n.\r\nb.\r\nc\r\n");
    assert_eq!(received(Limits::default(), b".\r\n"), b"");
    assert_eq!(received(Limits::default(), b"\r\n.\r\n"), b"\r\n");
}

#[test]
fn stray_octets_refuse_the_message_at_its_real_end_and_close() {
    for stray in [
        "a\rb", "a\nb", "a\0b", "a\r", "\n.\n", "\r.\r", ".\r", ".\n", ".",
    ] {
        let stray = if stray == "." { ".\0" } else { stray };
        let message = format!("Subject: t\r\n\r\n{stray}\r\nQUIT\r\n.\r\n");
        let mut server = Server::in_transaction(strict());
        let said = server.data(message.as_bytes());
        assert!(said.starts_with("550 5.6.0 "), "{stray:?} -> {said}");
        assert_eq!(Server::codes(&said).len(), 1, "{stray:?} -> {said}");
        assert!(server.closed);
        assert_eq!((server.messages.len(), server.aborted), (0, 1));

        let mut server = Server::in_transaction(settings());
        let said = server.data(message.as_bytes());
        assert_eq!(said, "250 2.0.0 Kept as 42\r\n", "{stray:?}");
        let repaired = &server.messages[0].bytes;
        assert!(repaired.ends_with(b"QUIT\r\n"), "{stray:?}");
    }
}

#[test]
fn a_line_beyond_the_limit_is_refused() {
    let line = |length: usize| format!("Subject: t\r\n\r\n{}\r\n.\r\n", "x".repeat(length));
    let limits = |line| Limits {
        line,
        ..Limits::default()
    };
    for most in [998, Limits::default().line] {
        let taken = received(limits(most), line(most).as_bytes());
        assert_eq!(taken.len(), 14 + most + 2);
        refused(limits(most), line(most + 1).as_bytes(), "500 5.6.0");
        let field = |length: usize| format!("A:{}\r\n\r\n.\r\n", "x".repeat(length - 2));
        received(limits(most), field(most).as_bytes());
        refused(limits(most), field(most + 1).as_bytes(), "500 5.6.0");
    }
    let mut server = refused(limits(998), line(999).as_bytes(), "500 5.6.0");
    assert!(!server.closed);
    assert!(server.say(b"MAIL FROM:<>\r\n").starts_with("250 "));
    // A stuffed dot does not count (RFC 5321 section 4.5.3.1.6).
    let stuffed = format!("..{}\r\n.\r\n", "x".repeat(997));
    assert_eq!(received(limits(998), stuffed.as_bytes()).len(), 1000);
}

#[test]
fn a_message_beyond_the_limit_is_refused() {
    let limits = Limits {
        message_size: 100,
        ..Limits::default()
    };
    let message = |length: usize| format!("\r\n..{}\r\n.\r\n", "x".repeat(length - 5));
    assert_eq!(received(limits.clone(), message(100).as_bytes()).len(), 100);
    let server = refused(limits, message(101).as_bytes(), "552 5.3.4");
    assert!(!server.closed);
}

#[test]
fn a_header_section_beyond_the_limit_is_refused() {
    let limits = Limits {
        header_size: 10,
        ..Limits::default()
    };
    assert_eq!(
        received(limits.clone(), b"A: 34\r\n\r\nlong enough\r\n.\r\n").len(),
        22
    );
    let server = refused(limits.clone(), b"A: 3456789\r\n\r\nb\r\n.\r\n", "552 5.3.4");
    assert!(!server.closed);
    // A line that is a dot once unstuffed does not end it.
    refused(limits, b"A: 3\r\n..\r\nB: 7\r\n\r\n.\r\n", "552 5.3.4");
}

#[test]
fn endless_messages_and_lines_take_no_memory() {
    let limits = Limits {
        message_size: 1000,
        ..Limits::default()
    };
    let mut server = Server::in_transaction(Settings {
        limits,
        ..settings()
    });
    server.say(b"DATA\r\n");
    for _ in 0..1000 {
        assert_eq!(server.say(&[b'x'; 10_000]), "");
    }
    assert!(server.bytes.len() <= 1000, "nothing more is handed on");
    assert!(server.say(b"\r\n.\r\n").starts_with("552 5.3.4 "));
    assert_eq!(server.aborted, 1);
}

#[test]
fn a_message_refused_at_its_end_leaves_no_transaction() {
    let limits = Limits {
        message_size: 10,
        ..Limits::default()
    };
    let mut server = refused(limits, b"\r\n123456789012\r\n.\r\n", "552 5.3.4");
    assert!(server.say(b"DATA\r\n").starts_with("503 5.5.1 "));
}

#[test]
fn the_sessions_own_refusals_have_the_label_and_are_reported_to_the_owner() {
    let limits = Limits {
        message_size: 10,
        recipients: 1,
        ..Limits::default()
    };
    let begun = || {
        let mut server = Server::in_transaction(Settings {
            limits: limits.clone(),
            ..settings()
        });
        server.session.label("42".to_owned());
        server
    };
    let told = |server: &Server, said: &str, octets: u64| {
        assert_eq!(server.aborted, 1);
        let Some(Abort::Refused { reply, size }) = &server.abort else {
            panic!("{:?}", server.abort);
        };
        assert_eq!((format!("{reply}\r\n").as_str(), *size), (said, octets));
        assert!(said.ends_with(" (42)\r\n"), "{said}");
    };
    let strict = strict();
    for (message, octets) in [(&b"\r\n123456789012\r\n.\r\n"[..], 16), (b"\n\r\n.\r\n", 3)] {
        let mut server = Server::in_transaction(Settings {
            limits: Limits {
                message_size: 10,
                ..strict.limits.clone()
            },
            ..strict.clone()
        });
        server.session.label("42".to_owned());
        let said = server.data(message);
        told(&server, &said, octets);
    }
    let mut server = begun();
    server.data(b"12345");
    server.session.time_out();
    let said = server.hear();
    told(&server, &said, 5);

    let mut server = begun();
    for (line, named) in [
        ("RCPT TO:<b@desk.example>", true),
        ("RCPT TO:<", true),
        ("NOOP", false),
        ("RSET", false),
        ("RCPT TO:<b@desk.example>", false),
    ] {
        let said = server.say(format!("{line}\r\n").as_bytes());
        assert_eq!(said.ends_with(" (42)\r\n"), named, "{said}");
    }
    assert_eq!(server.abort, Some(Abort::GivenUp));
}
