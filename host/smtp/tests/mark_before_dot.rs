//! A dot behind a byte order mark ends no message: a server in front, for which the mark is the first
//! of its line, has passed on what follows as a part of the message.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Server, settings};

const MARK: &str = "\u{feff}";

#[test]
fn a_dot_behind_a_byte_order_mark_is_text() {
    for begin in [
        "",
        "Subject: t\r\n",
        "From ann@x.example Sat Jan  3 10:00:00 2026\r\n",
    ] {
        let smuggled = format!(
            "{begin}{MARK}.\r\nMAIL FROM:<x@sender.example>\r\n\
             RCPT TO:<user@desk.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nbody\r\n"
        );
        let mut server = Server::in_transaction(settings());
        let said = server.data(format!("{smuggled}.\r\n").as_bytes());
        assert_eq!(Server::codes(&said), ["250"], "{begin:?}: {said}");
        assert_eq!(server.messages.len(), 1, "{begin:?}");
        let taken = String::from_utf8(server.messages[0].bytes.clone()).unwrap();
        assert!(taken.contains("Subject: smuggled"), "{taken}");
        assert!(
            taken.contains("\r\n.\r\nMAIL") || taken.starts_with(".\r\nMAIL"),
            "{taken}"
        );
    }
}

#[test]
fn no_dot_behind_a_byte_order_mark_is_taken_out() {
    let mut server = Server::in_transaction(settings());
    let sent = format!("{MARK}..Subject: t\r\n\r\nbody\r\n");
    assert!(
        server
            .data(format!("{sent}.\r\n").as_bytes())
            .starts_with("250")
    );
    assert_eq!(server.messages[0].bytes, b"..Subject: t\r\n\r\nbody\r\n");
}

#[test]
fn every_cut_of_the_octets_gives_the_same() {
    let sent = format!("Subject: t\r\n{MARK}.\r\nmore\r\n.\r\n");
    for cut in 0..=sent.len() {
        let mut server = Server::in_transaction(settings());
        server.say(b"DATA\r\n");
        let (first, second) = sent.as_bytes().split_at(cut);
        let said = server.say(first) + &server.say(second);
        assert_eq!(Server::codes(&said), ["250"], "{cut}");
        assert_eq!(
            server.messages[0].bytes, b"Subject: t\r\n.\r\nmore\r\n",
            "{cut}"
        );
    }
}
