//! Commands of the server: accepted and refused arguments, and the replies.

use crate::common;

use common::{Server, settings};
use gatepost_message::ReversePath;
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Answer, BodyType, Limits, Settings, StartTls};

/// Asserts that a reply begins with the code and the enhanced code.
#[track_caller]
fn expect(server: &mut Server, line: &str, reply: &str) {
    let said = server.say(format!("{line}\r\n").as_bytes());
    assert!(said.starts_with(&format!("{reply} ")), "{line} -> {said}");
    assert_eq!(Server::codes(&said).len(), 1, "{line} -> {said}");
}

/// RFC 9422 allows six digits.
#[test]
fn rcptmax_is_at_most_six_digits() {
    let mut settings = settings();
    settings.limits.recipients = 5_000_000;
    let offer = Server::new(settings, false).say(b"EHLO client.example\r\n");
    assert!(offer.contains("-LIMITS RCPTMAX=999999\r\n"), "{offer}");
}

#[test]
fn banner_and_ehlo_offer_exactly_what_is_supported() {
    let mut server = Server::new(settings(), false);
    assert_eq!(server.hear(), "220 mx.desk.example ESMTP Gatepost\r\n");
    assert_eq!(
        server.say(b"EHLO client.example\r\n"),
        "250-mx.desk.example greets client.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n\
         250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250-SIZE 26214400\r\n\
         250-LIMITS RCPTMAX=1000\r\n250 STARTTLS\r\n"
    );
    assert_eq!(server.session.protocol(false), "ESMTP");
    assert_eq!(
        server.say(b"helo [192.0.2.1]\r\n"),
        "250 mx.desk.example\r\n"
    );
    assert_eq!(server.session.protocol(false), "SMTP");
    assert_eq!(server.session.helo(), Some("[192.0.2.1]"));
    let offer = Server::new(settings(), true).say(b"EHLO c\r\n");
    assert!(
        !offer.contains("STARTTLS") && offer.contains("250 AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n"),
        "{offer}"
    );
}

#[test]
fn ehlo_and_helo_need_a_name_that_cannot_inject() {
    let mut server = Server::new(settings(), false);
    for line in [
        "HELO",
        "EHLO",
        "EHLO ",
        "EHLO a b",
        "EHLO ä.example",
        "EHLO a\x07b",
    ] {
        let reply = server.say(format!("{line}\r\n").as_bytes());
        assert!(reply.contains("501 5.5.4 "), "{line:?} -> {reply}");
    }
    expect(
        &mut server,
        &format!("EHLO {}", "a".repeat(256)),
        "501 5.5.4",
    );
    expect(&mut server, "EHLO a\rX-Evil: 1", "500 5.5.2");
    assert_eq!(server.session.helo(), None);
}

#[test]
fn a_transaction_is_replied_to_with_enhanced_codes() {
    let mut server = Server::greeted();
    expect(&mut server, "MAIL FROM:<a@sender.example>", "250 2.1.0");
    expect(&mut server, "RCPT TO:<user@desk.example>", "250 2.1.5");
    expect(&mut server, "RCPT TO:<user@elsewhere.example>", "550 5.7.1");
    assert!(server.session.in_transaction());
    assert_eq!(
        server.data(b"Subject: t\r\n\r\nhello\r\n.\r\n"),
        "250 2.0.0 Kept as 42\r\n"
    );
    assert!(!server.session.in_transaction());
    let message = &server.messages[0];
    assert_eq!(message.recipients, ["user@desk.example"]);
    assert_eq!(message.bytes, b"Subject: t\r\n\r\nhello\r\n");
    assert!(!message.eight_bit);
    expect(&mut server, "QUIT", "221 2.0.0");
    assert!(server.closed);
    assert_eq!(server.aborted, 0);
}

#[test]
fn commands_out_of_sequence_are_refused() {
    let mut server = Server::new(settings(), false);
    server.hear();
    expect(&mut server, "MAIL FROM:<a@b.example>", "503 5.5.1");
    server.say(b"EHLO c\r\n");
    expect(&mut server, "RCPT TO:<user@desk.example>", "503 5.5.1");
    expect(&mut server, "DATA", "503 5.5.1");
    expect(&mut server, "MAIL FROM:<a@b.example>", "250 2.1.0");
    expect(&mut server, "MAIL FROM:<a@b.example>", "503 5.5.1");
    expect(&mut server, "DATA", "503 5.5.1");
    expect(&mut server, "RCPT TO:<x@elsewhere.example>", "550 5.7.1");
    expect(&mut server, "DATA", "503 5.5.1");
    assert_eq!((server.aborted, server.closed), (0, false));
}

#[test]
fn rset_and_ehlo_end_the_transaction() {
    for (line, aborted) in [
        ("RSET", 1),
        ("EHLO again.example", 1),
        ("HELO again", 1),
        ("NOOP", 0),
    ] {
        let mut server = Server::in_transaction(settings());
        server.say(format!("{line}\r\n").as_bytes());
        assert_eq!(server.aborted, aborted, "{line}");
        assert_eq!(
            server.say(b"DATA\r\n").starts_with("503 5.5.1 "),
            aborted == 1,
            "{line}"
        );
    }
    let mut server = Server::in_transaction(settings());
    expect(&mut server, "QUIT", "221 2.0.0");
    assert_eq!(server.aborted, 1);
}

#[test]
fn missing_and_superfluous_arguments_are_refused() {
    let mut server = Server::greeted();
    for line in ["RSET x", "QUIT x", "STARTTLS now", "VRFY"] {
        expect(&mut server, line, "501 5.5.4");
    }
    expect(&mut server, "NOOP with words", "250 2.0.0");
    expect(&mut server, "noop  ", "250 2.0.0");
    expect(&mut server, "HELP MAIL", "214 2.0.0");
    expect(&mut server, "VRFY user", "252 2.5.0");
    expect(&mut server, "EXPN list", "502 5.5.1");
    expect(&mut server, "FOO bar", "500 5.5.1");
    expect(&mut server, "", "500 5.5.1");
    assert!(!server.closed);
}

#[test]
fn mail_checks_path_and_parameters() {
    let cases = [
        ("FROM:<a@b.example>", "250 2.1.0"),
        ("from: <a@b.example>", "250 2.1.0"),
        ("FROM:<>", "250 2.1.0"),
        ("FROM:<@x.example,@y.example:a@b.example>", "250 2.1.0"),
        ("FROM:<\"a> b\"@b.example> SIZE=10 BODY=7BIT", "250 2.1.0"),
        ("FROM:<a@b.example> size=10 body=8bitmime", "250 2.1.0"),
        ("FROM:<a@b.example> SIZE=26214400", "250 2.1.0"),
        ("", "501 5.1.7"),
        ("FROM:a@b.example", "501 5.1.7"),
        ("FROM:<a@b.example", "501 5.1.7"),
        ("FROM:<a b@b.example>", "501 5.1.7"),
        ("FROM:<a>", "501 5.1.7"),
        ("FROM:<@x.example:>", "501 5.1.7"),
        ("FROM:<@[192.0.2.1]:a@b.example>", "501 5.1.7"),
        ("FROM:<a@b.example>SIZE=1", "501 5.1.7"),
        ("FROM:<ä@b.example>", "553 5.6.7"),
        ("FROM:<a@b.example> SIZE=26214401", "552 5.3.4"),
        ("FROM:<a@b.example> SIZE=99999999999999999999", "552 5.3.4"),
        ("FROM:<a@b.example> SIZE=999999999999999999999", "501 5.5.4"),
        ("FROM:<a@b.example> SIZE=-1", "501 5.5.4"),
        ("FROM:<a@b.example> SIZE", "501 5.5.4"),
        ("FROM:<a@b.example> SIZE=1 SIZE=1", "501 5.5.4"),
        ("FROM:<a@b.example> BODY=16BIT", "501 5.5.4"),
        ("FROM:<a@b.example> BODY=", "501 5.5.4"),
        ("FROM:<a@b.example> =x", "501 5.5.4"),
        ("FROM:<a@b.example> A=B=C", "501 5.5.4"),
        ("FROM:<a@b.example> FOO=BAR", "555 5.5.4"),
        ("FROM:<a@b.example> AUTH=<>", "555 5.5.4"),
    ];
    for (arguments, reply) in cases {
        expect(&mut Server::greeted(), &format!("MAIL {arguments}"), reply);
    }
    let mut server = Server::in_transaction(settings());
    server.say(b"RSET\r\nMAIL FROM:<@x.example:a@B.example> BODY=8BITMIME SIZE=5\r\n");
    server.say(b"RCPT TO:<user@desk.example>\r\n");
    server.data("\r\nä\r\n.\r\n".as_bytes());
    let message = &server.messages[0];
    assert_eq!(
        message.mail.reverse_path,
        ReversePath::parse("a@b.example").unwrap()
    );
    assert_eq!(
        (message.mail.size, message.mail.body),
        (Some(5), BodyType::EightBitMime)
    );
    assert!(message.eight_bit);
}

#[test]
fn mail_accepts_auth_where_auth_is_offered() {
    for (value, reply) in [
        ("<>", "250 2.1.0"),
        ("e+3Dmc2@example.com", "250 2.1.0"),
        ("a+3", "501 5.5.4"),
    ] {
        expect(
            &mut Server::secured(),
            &format!("MAIL FROM:<a@b.example> AUTH={value}"),
            reply,
        );
    }
}

#[test]
fn rcpt_checks_path_and_parameters() {
    let cases = [
        ("TO:<user@desk.example>", "250 2.1.5"),
        ("to:<user@DESK.example>", "250 2.1.5"),
        ("TO:<Postmaster>", "250 2.1.5"),
        ("TO:<\"x@elsewhere.example\"@desk.example>", "250 2.1.5"),
        ("TO:<@elsewhere.example:user@desk.example>", "250 2.1.5"),
        ("TO:<@desk.example:x@elsewhere.example>", "550 5.7.1"),
        ("TO:<x%desk.example@elsewhere.example>", "550 5.7.1"),
        ("TO:<\"x@desk.example\">", "501 5.1.3"),
        ("TO:<>", "501 5.1.3"),
        ("TO:<user>", "501 5.1.3"),
        ("TO:<user@desk.example", "501 5.1.3"),
        ("TO:user@desk.example", "501 5.1.3"),
        ("FROM:<user@desk.example>", "501 5.1.3"),
        ("TO:<us\u{e9}r@desk.example>", "553 5.6.7"),
        ("TO:<user@desk.example> FOO=BAR", "555 5.5.4"),
        ("TO:<user@desk.example> =", "501 5.5.4"),
    ];
    for (arguments, reply) in cases {
        expect(
            &mut Server::in_transaction(settings()),
            &format!("RCPT {arguments}"),
            reply,
        );
    }
    let mut server = Server::in_transaction(settings());
    server.say(b"RCPT TO:<Postmaster>\r\nRCPT TO:<@a.example,@b.example:x@desk.example>\r\n");
    server.data(b".\r\n");
    let to = [
        "user@desk.example",
        "Postmaster@mx.desk.example",
        "x@desk.example",
    ];
    assert_eq!(server.messages[0].recipients, to);
}

#[test]
fn no_part_of_a_line_with_a_stray_octet_is_run() {
    for line in [
        &b"NOOP\nMAIL FROM:<evil@sender.example>\r\n"[..],
        b"NOOP\rMAIL FROM:<evil@sender.example>\r\n",
        b"NOOP\0\r\n",
        b"NOOP\r\r\n",
        b"\nNOOP\r\n",
    ] {
        let mut server = Server::greeted();
        let reply = server.say(line);
        assert!(reply.starts_with("500 5.5.2 "), "{line:?} -> {reply}");
        assert_eq!(Server::codes(&reply).len(), 1, "{line:?} -> {reply}");
        assert!(!server.session.in_transaction());
        expect(&mut server, "NOOP", "250 2.0.0");
    }
}

#[test]
fn an_overlong_line_is_refused_and_the_session_continues() {
    let limits = Limits {
        command_line: 512,
        ..Limits::default()
    };
    let mut server = Server::with(
        Settings {
            limits,
            ..settings()
        },
        false,
    );
    expect(
        &mut server,
        &format!("NOOP {}", "x".repeat(512 - 7)),
        "250 2.0.0",
    );
    expect(
        &mut server,
        &format!("NOOP {}", "x".repeat(512 - 6)),
        "500 5.5.2",
    );
    // No reply comes before the line ends, and the CR of its end may come by itself.
    for _ in 0..100 {
        assert_eq!(server.say(&[b'x'; 10_000]), "");
    }
    assert_eq!(server.say(b"\r"), "");
    assert!(server.say(b"\nNOOP\r\n").starts_with("500 5.5.2 "));
    expect(&mut server, "NOOP", "250 2.0.0");
}

#[test]
fn too_many_recipients_get_452_and_the_session_continues() {
    let limits = Limits {
        recipients: 2,
        idle_commands: 5,
        errors: 5,
        ..Limits::default()
    };
    let mut server = Server::in_transaction(Settings {
        limits,
        ..settings()
    });
    expect(&mut server, "RCPT TO:<b@desk.example>", "250 2.1.5");
    for _ in 0..100 {
        expect(&mut server, "RCPT TO:<c@desk.example>", "452 4.5.3");
    }
    server.data(b".\r\n");
    assert_eq!(server.messages[0].recipients.len(), 2);
}

#[test]
fn too_many_errors_end_the_session() {
    let limits = Limits {
        errors: 3,
        ..Limits::default()
    };
    let mut server = Server::in_transaction(Settings {
        limits,
        ..settings()
    });
    expect(&mut server, "FOO", "500 5.5.1");
    expect(&mut server, "RCPT TO:<x@elsewhere.example>", "550 5.7.1");
    expect(&mut server, "RCPT TO:<>", "501 5.1.3");
    let said = server.say(b"NOOP\r\nNOOP\r\n");
    assert!(said.starts_with("421 4.7.0 "), "{said}");
    assert_eq!(Server::codes(&said).len(), 1);
    assert_eq!((server.closed, server.aborted), (true, 1));
    assert_eq!(server.say(b"NOOP\r\n"), "");
}

#[test]
fn commands_pipelined_behind_a_refused_mail_are_no_errors() {
    let limits = Limits {
        errors: 3,
        ..Limits::default()
    };
    let mut server = Server::with(
        Settings {
            limits,
            ..settings()
        },
        false,
    );
    server.say(b"MAIL FROM:<a@b.example> SIZE=99999999999\r\n");
    for _ in 0..200 {
        expect(&mut server, "RCPT TO:<user@desk.example>", "503 5.5.1");
    }
    expect(&mut server, "DATA", "503 5.5.1");
    expect(&mut server, "MAIL FROM:<a@b.example>", "250 2.1.0");
    server.say(b"RSET\r\n");
    expect(&mut server, "RCPT TO:<user@desk.example>", "503 5.5.1");
    expect(&mut server, "DATA", "503 5.5.1");
    expect(&mut server, "RCPT TO:<user@desk.example>", "421 4.7.0");
}

#[test]
fn idle_commands_have_a_limit_that_a_message_resets() {
    let limits = Limits {
        idle_commands: 6,
        ..Limits::default()
    };
    let mut server = Server::with(
        Settings {
            limits,
            ..settings()
        },
        false,
    );
    for _ in 0..4 {
        server.say(b"MAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<user@desk.example>\r\n");
        assert!(server.data(b".\r\n").starts_with("250 "));
    }
    assert_eq!(
        Server::codes(&server.say(b"NOOP\r\nRSET\r\nHELP\r\nVRFY x\r\nEHLO a\r\nMAIL FROM:<>\r\n"))
            .len(),
        6
    );
    expect(&mut server, "NOOP", "421 4.7.0");
    assert!(server.closed);
}

#[test]
fn refused_recipients_have_a_limit_unless_one_was_accepted() {
    let later = || Answer::Reply(Reply::new(450, "4.2.1", "Later"));
    let put_off = |server: &mut Server| {
        server.answers = (0..300).map(|_| later()).collect();
        let said = server.say("RCPT TO:<a@desk.example>\r\n".repeat(300).as_bytes());
        let codes = Server::codes(&said);
        (codes.len(), codes.last().unwrap().to_string())
    };
    // EHLO, MAIL and 98 of them.
    let mut server = Server::greeted();
    server.say(b"MAIL FROM:<a@b.example>\r\n");
    assert_eq!(put_off(&mut server), (99, "421".to_owned()));

    let mut server = Server::in_transaction(settings());
    assert_eq!(put_off(&mut server), (300, "450".to_owned()));
    server.answers.clear();
    assert!(server.data(b".\r\n").starts_with("250 "));

    // The owner is not asked about more recipients than the limit.
    let limits = Limits {
        recipients: 10,
        ..Limits::default()
    };
    let mut server = Server::in_transaction(Settings {
        limits,
        ..settings()
    });
    assert_eq!(put_off(&mut server), (300, "452".to_owned()));
    assert_eq!(server.answers.len(), 300 - 9);

    // None of them is an error behind a refused MAIL, and yet they are not endless.
    let limits = Limits {
        recipients: 10,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..settings()
    };
    let mut server = Server::with(settings, false);
    server.answers = vec![later()];
    server.say(b"MAIL FROM:<a@b.example>\r\n");
    assert_eq!(put_off(&mut server), (109, "421".to_owned()));
}

#[test]
fn pipelined_commands_are_replied_to_in_one_send_and_in_order() {
    let mut server = Server::greeted();
    let before = server.sends;
    let said = server.say(
        b"MAIL FROM:<a@sender.example>\r\nRCPT TO:<x@elsewhere.example>\r\n\
          RCPT TO:<user@desk.example>\r\nDATA\r\n",
    );
    assert_eq!(Server::codes(&said), ["250", "550", "250", "354"]);
    assert_eq!(server.sends - before, 1);
    let said = server.say(b"p\r\n.\r\nRSET\r\nNOOP\r\nQUIT\r\n");
    assert_eq!(Server::codes(&said), ["250", "250", "250", "221"]);
    assert_eq!(server.messages.len(), 1);
}

#[test]
fn an_http_request_is_refused_at_its_first_line() {
    let mut server = Server::greeted();
    let said = server.say(b"POST / HTTP/1.1\r\nHost: mx\r\n\r\nMAIL FROM:<a@b.example>\r\n");
    assert!(said.starts_with("500 5.5.1 "), "{said}");
    assert_eq!((Server::codes(&said).len(), server.closed), (1, true));
}

#[test]
fn required_tls_comes_before_other_commands() {
    let tls = Settings {
        start_tls: StartTls::Required,
        ..settings()
    };
    let mut server = Server::new(tls, false);
    server.say(b"EHLO c\r\n");
    for line in [
        "MAIL FROM:<a@b.example>",
        "RSET",
        "VRFY a",
        "AUTH PLAIN",
        "HELO c",
        "DATA",
    ] {
        expect(&mut server, line, "530 5.7.0");
    }
    expect(&mut server, "NOOP", "250 2.0.0");
    expect(&mut server, "STARTTLS", "220 2.0.0");
    server.say(b"EHLO c\r\n");
    expect(&mut server, "MAIL FROM:<a@b.example>", "250 2.1.0");
}
