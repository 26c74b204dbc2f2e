//! Banner, STARTTLS, AUTH and end of a session.

use crate::common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Server, secured, settings};
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Answer, Ask, AuthOffer, Event, Limits, Session, Settings, StartTls};
use std::sync::Arc;

fn first_words(text: &str) -> &str {
    &text[..text.len().min(9)]
}

/// Returns the banner after an answer to `Connect`, and true if the connection is then closed.
fn greet(answer: Answer) -> (Session, String, bool) {
    let mut session = Session::new(Arc::new(settings()), None);
    assert_eq!(session.next_event(), Event::Ask(Ask::Connect));
    session.answer(answer);
    let Event::Send(banner) = session.next_event() else {
        panic!("no banner")
    };
    let closed = session.next_event() == Event::Close;
    (session, String::from_utf8(banner.to_vec()).unwrap(), closed)
}

#[test]
fn the_owner_decides_the_banner() {
    let (_, banner, closed) = greet(Answer::Proceed);
    assert_eq!(
        (banner.as_str(), closed),
        ("220 mx.desk.example ESMTP Gatepost\r\n", false)
    );
    let (_, banner, closed) = greet(Answer::Reply(Reply::new(450, "4.7.1", "Slow down")));
    assert_eq!((banner.as_str(), closed), ("421 4.7.1 Slow down\r\n", true));
    let (_, banner, closed) = greet(Answer::Close(Reply::new(554, "5.7.1", "Go away")));
    assert_eq!((banner.as_str(), closed), ("554 5.7.1 Go away\r\n", true));
}

#[test]
fn a_client_refused_for_good_may_only_quit() {
    let (mut session, banner, closed) = greet(Answer::Reply(Reply::new(550, "5.7.1", "Go away")));
    assert_eq!((banner.as_str(), closed), ("554 5.7.1 Go away\r\n", false));
    session.feed(b"EHLO a\r\nQUIT\r\n");
    let Event::Send(said) = session.next_event() else {
        panic!("no reply")
    };
    assert_eq!(
        Server::codes(str::from_utf8(&said).unwrap()),
        ["503", "221"]
    );
    assert_eq!(session.next_event(), Event::Close);
}

#[test]
fn commands_sent_before_the_banner_are_answered_after_it() {
    let mut server = Server::new(settings(), false);
    server.session.feed(b"EHLO a\r\nMAIL FROM:<>\r\n");
    assert_eq!(Server::codes(&server.hear()), ["220", "250", "250"]);
}

#[test]
fn starttls_drops_pipelined_plaintext_and_state() {
    let mut server = Server::in_transaction(settings());
    let said = server.say(b"STARTTLS\r\nMAIL FROM:<evil@sender.example>\r\nNOOP\r\n");
    assert_eq!(said, "220 2.0.0 Start TLS\r\n");
    assert_eq!((server.handshakes, server.aborted), (1, 1));
    assert_eq!(
        (server.session.tls(), server.session.helo()),
        (Some("TLSv1.3"), None)
    );
    assert!(server.say(b"DATA\r\n").starts_with("503 5.5.1 "));
    assert!(
        server
            .say(b"MAIL FROM:<a@b.example>\r\n")
            .starts_with("503 5.5.1 ")
    );
    let offer = server.say(b"EHLO c\r\n");
    assert!(!offer.contains("STARTTLS"), "{offer}");
    assert_eq!(server.session.protocol(false), "ESMTPS");
    assert!(server.say(b"STARTTLS\r\n").starts_with("503 5.5.1 "));
}

#[test]
fn plaintext_fed_during_the_handshake_is_dropped_too() {
    let mut session = Session::new(Arc::new(settings()), None);
    session.next_event();
    session.answer(Answer::Proceed);
    session.feed(b"STARTTLS\r\n");
    assert!(matches!(session.next_event(), Event::Send(_)));
    assert_eq!(session.next_event(), Event::StartTls);
    session.feed(b"EHLO evil.example\r\n");
    session.tls_started(secured());
    assert_eq!(session.next_event(), Event::NeedInput);
}

#[test]
fn starttls_without_certificate_is_refused() {
    let mut server = Server::with(
        Settings {
            start_tls: StartTls::None,
            ..settings()
        },
        false,
    );
    assert!(server.say(b"STARTTLS\r\n").starts_with("502 5.5.1 "));
}

#[test]
fn auth_plain_and_login_succeed() {
    let plain = STANDARD.encode("\0user\0secret");
    let (user, password) = (STANDARD.encode("user"), STANDARD.encode("secret"));
    let dialogues = [
        format!("AUTH PLAIN {plain}\r\n"),
        format!("auth plain\r\n{plain}\r\n"),
        format!("AUTH PLAIN {}\r\n", STANDARD.encode("user\0user\0secret")),
        format!("AUTH LOGIN\r\n{user}\r\n{password}\r\n"),
        format!("AUTH LOGIN {user}\r\n{password}\r\n"),
    ];
    for dialogue in dialogues {
        let mut server = Server::secured();
        let said = server.say(dialogue.as_bytes());
        assert!(
            said.ends_with("235 2.7.0 Authenticated\r\n"),
            "{dialogue} -> {said}"
        );
        assert_eq!(server.session.user(), Some("user"));
        assert_eq!(server.session.protocol(false), "ESMTPSA");
        assert!(server.say(b"AUTH PLAIN\r\n").starts_with("503 5.5.1 "));
    }
    assert_eq!(Server::secured().say(b"AUTH PLAIN\r\n"), "334 \r\n");
    assert_eq!(
        Server::secured().say(b"AUTH LOGIN\r\n"),
        "334 VXNlcm5hbWU6\r\n"
    );
}

#[test]
fn tls_and_auth_count_as_progress() {
    let limits = Limits {
        idle_commands: 3,
        ..Limits::default()
    };
    let mut server = Server::with(
        Settings {
            limits,
            ..settings()
        },
        false,
    );
    let mut progress = |line: &[u8], replies: usize| {
        let said = server.say(line);
        assert_eq!(Server::codes(&said).len(), replies, "{said}");
        assert!(!server.closed, "{said}");
    };
    progress(b"NOOP\r\nSTARTTLS\r\n", 2);
    progress(b"EHLO c\r\nNOOP\r\n", 2);
    progress(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", 1);
    progress(b"NOOP\r\nNOOP\r\nNOOP\r\n", 3);
    assert!(server.say(b"NOOP\r\n").starts_with("421 4.7.0 "));
}

#[test]
fn failed_auth_gets_the_reply_of_its_fault() {
    let cases = [
        ("AUTH PLAIN\r\n*\r\n", "501 5.7.0"),
        ("AUTH LOGIN\r\n*\r\n", "501 5.7.0"),
        ("AUTH PLAIN !!!!\r\n", "501 5.5.2"),
        ("AUTH PLAIN\r\nAHVzZXI\r\n", "501 5.5.2"),
        ("AUTH PLAIN =\r\n", "501 5.5.2"),
        ("AUTH PLAIN AHVzZXI=\r\n", "501 5.5.2"),
        ("AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n", "535 5.7.8"),
        // authzid `other` with the credentials of `user`
        ("AUTH PLAIN b3RoZXIAdXNlcgBzZWNyZXQ=\r\n", "535 5.7.8"),
        ("AUTH LOGIN =\r\n=\r\n", "501 5.5.2"),
        ("AUTH LOGIN\r\ndXNlcg==\r\nd3Jvbmc=\r\n", "535 5.7.8"),
        ("AUTH\r\n", "501 5.5.4"),
        ("AUTH PLAIN x y\r\n", "501 5.5.4"),
        ("AUTH CRAM-MD5\r\n", "504 5.5.4"),
        // RFC 4954 section 4: 501 where a response cannot be decoded.
        ("AUTH PLAIN\r\nAHVz\nZXIAc2VjcmV0\r\n", "501 5.5.2"),
        ("MAIL FROM:<>\r\nAUTH PLAIN\r\n", "503 5.5.1"),
    ];
    for (dialogue, reply) in cases {
        let mut server = Server::secured();
        let said = server.say(dialogue.as_bytes());
        let last = said.lines().last().unwrap();
        assert_eq!(first_words(last), reply, "{dialogue:?} -> {said}");
        assert_eq!(server.session.user(), None);
        assert!(server.say(b"NOOP\r\n").starts_with("250 2.0.0 "));
    }
}

#[test]
fn auth_is_accepted_only_under_tls_and_where_offered() {
    assert!(
        Server::greeted()
            .say(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n")
            .starts_with("538 5.7.11 ")
    );
    let mut server = Server::with(
        Settings {
            auth: AuthOffer::None,
            ..settings()
        },
        true,
    );
    assert!(
        server
            .say(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n")
            .starts_with("502 5.5.1 ")
    );
    let mut server = Server::with(
        Settings {
            auth: AuthOffer::Required,
            ..settings()
        },
        true,
    );
    assert!(server.say(b"MAIL FROM:<>\r\n").starts_with("530 5.7.0 "));
    server.say(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
    assert!(server.say(b"MAIL FROM:<>\r\n").starts_with("250 2.1.0 "));
}

#[test]
fn auth_lines_up_to_12288_octets_are_read() {
    // 12288 octets with `AUTH PLAIN ` and CRLF leave 12275, of which base64 fills 12272.
    let message = STANDARD.encode(format!("\0user\0{}", "p".repeat(9198)));
    assert_eq!(message.len(), 12272);
    let said = Server::secured().say(format!("AUTH PLAIN {message}\r\n").as_bytes());
    assert!(said.starts_with("535 5.7.8 "), "{said}");
    let said = Server::secured().say(format!("AUTH PLAIN {}\r\n", "A".repeat(12276)).as_bytes());
    assert!(said.starts_with("500 5.5.6 "), "{said}");
    let mut server = Server::secured();
    server.say(b"AUTH PLAIN\r\n");
    let said = server.say(format!("{}\r\nNOOP\r\n", "A".repeat(13000)).as_bytes());
    assert!(
        said.starts_with("500 5.5.6 ") && said.contains("\r\n250 2.0.0 "),
        "{said}"
    );
}

/// The beginning of a line that comes in pieces is dropped before its end is seen.
#[test]
fn an_overlong_auth_line_gets_500_in_any_segments() {
    let initial = format!("AUTH PLAIN {}", "A".repeat(40_000));
    let response = format!("AUTH PLAIN\r\n{}", "A".repeat(40_000));
    for dialogue in [initial, response] {
        for piece in [1, 1000, 12_288, 40_000] {
            let mut server = Server::secured();
            let said: String = (dialogue.as_bytes().chunks(piece))
                .map(|piece| server.say(piece))
                .collect();
            let said = said + &server.say(b"\r\nNOOP\r\n");
            let last = said.strip_prefix("334 \r\n").unwrap_or(&said);
            assert!(last.starts_with("500 5.5.6 "), "by {piece}: {said}");
            assert!(last.contains("\r\n250 2.0.0 "), "by {piece}: {said}");
        }
    }
}

/// Covers SCRAM up to the client's proof.
#[test]
fn each_failed_scram_response_gets_the_reply_of_its_fault() {
    let nonce = |challenge: &str| {
        let challenge = challenge.strip_prefix("334 ").unwrap().trim_end();
        let challenge = STANDARD.decode(challenge).unwrap();
        let challenge = String::from_utf8(challenge).unwrap();
        challenge.split(',').next().unwrap().to_owned()
    };
    let proof = STANDARD.encode([0; 32]);
    for (last, reply) in [
        // RFC 5802 section 5.1: a nonce that is not the server's fails the authentication.
        (format!("c=biws,r=another,p={proof}"), "535 5.7.8"),
        (format!("c=biws,NONCEx,p={proof}"), "535 5.7.8"),
        // The right nonce, but no proof of the password.
        (format!("c=biws,NONCE,p={proof}"), "535 5.7.8"),
        // Channel binding differs from the client's first message.
        (format!("c=eSws,NONCE,p={proof}"), "535 5.7.8"),
        ("c=biws,NONCE".to_owned(), "501 5.5.2"),
    ] {
        let mut server = Server::secured();
        let first = STANDARD.encode("n,,n=user,r=x");
        let challenge = server.say(format!("AUTH SCRAM-SHA-256 {first}\r\n").as_bytes());
        let last = last.replace("NONCE", &nonce(&challenge));
        let said = server.say(format!("{}\r\n", STANDARD.encode(&last)).as_bytes());
        assert_eq!(first_words(&said), reply, "{last}: {said}");
        assert_eq!(server.session.user(), None);
    }
}

#[test]
fn a_time_out_closes_in_any_state() {
    for before in [&b""[..], b"NOO", b"DATA\r\n", b"DATA\r\nhalf a line"] {
        let mut server = Server::in_transaction(settings());
        server.say(before);
        server.session.time_out();
        assert!(server.hear().starts_with("421 4.4.2 "));
        assert_eq!((server.closed, server.aborted), (true, 1));
    }
}

#[test]
fn shut_down_waits_for_the_transaction_in_hand() {
    let mut idle = Server::greeted();
    idle.session.shut_down();
    assert!(idle.hear().starts_with("421 4.3.2 "));
    assert!(idle.closed);

    let mut busy = Server::in_transaction(settings());
    busy.session.shut_down();
    assert_eq!(busy.hear(), "");
    assert!(busy.data(b"a\r\n").is_empty());
    let said = busy.say(b".\r\nMAIL FROM:<>\r\n");
    assert_eq!(Server::codes(&said), ["250", "421"]);
    assert_eq!(
        (busy.closed, busy.messages.len(), busy.aborted),
        (true, 1, 0)
    );
}

#[test]
fn the_owner_may_refuse_and_close_at_any_question() {
    let mut server = Server::greeted();
    server.answers = vec![Answer::Reply(Reply::new(451, "4.7.1", "Later"))];
    assert!(server.say(b"MAIL FROM:<>\r\n").starts_with("451 4.7.1 "));
    assert!(!server.session.in_transaction());
    server.answers = vec![Answer::Close(Reply::new(550, "5.7.1", "Enough"))];
    assert!(server.say(b"MAIL FROM:<>\r\n").starts_with("550 5.7.1 "));
    assert!(server.closed);
    let mut server = Server::in_transaction(settings());
    server.answers = vec![Answer::Reply(Reply::new(421, "4.3.0", "Broken"))];
    assert!(
        server
            .say(b"RCPT TO:<user@desk.example>\r\n")
            .starts_with("421 4.3.0 ")
    );
    assert_eq!((server.closed, server.aborted), (true, 1));
}
