//! Removing octets from a header section creates no end of a message that a server in front did not
//! see. A dot after a byte order mark ends nothing: for a server in front, the mark begins the
//! line, and it has relayed the octets after it as part of the message.

use crate::common;

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
fn no_dot_behind_a_byte_order_mark_is_unstuffed() {
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
fn segments_do_not_change_the_result() {
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

#[test]
fn an_end_below_a_doubtful_mbox_line_ends_the_session() {
    for (end, doubtful) in [("\r\n", false), ("\r\r\n", true)] {
        for begin in ["", "Subject: t\0\r\n"] {
            let mut server = Server::in_transaction(settings());
            let sent = format!(
                "{begin}From ann@x.example Sat Jan  3 10:00:00 2026{end}.\r\n\
                 MAIL FROM:<x@sender.example>\r\n"
            );
            let said = server.data(sent.as_bytes());
            let second = if doubtful { "421" } else { "250" };
            assert_eq!(
                Server::codes(&said),
                ["250", second],
                "{begin:?} {end:?}: {said}"
            );
        }
    }
}
