//! Addresses outside ASCII (RFC 6531) are accepted only where MAIL announces them.

use crate::common;

use common::Server;

/// Sends MAIL, which is accepted, and RCPT with these arguments; returns the reply to RCPT.
fn recipient(mail: &str, rcpt: &str) -> String {
    let mut server = Server::greeted();
    let said = server.say(format!("MAIL {mail}\r\n").as_bytes());
    assert!(said.starts_with("250 "), "{mail}: {said}");
    server.say(format!("RCPT {rcpt}\r\n").as_bytes())
}

#[test]
fn a_sender_outside_ascii_needs_smtputf8() {
    for (arguments, reply) in [
        ("FROM:<ä@b.example> SMTPUTF8", "250 2.1.0"),
        (
            "FROM:<ä@bücher.example> smtputf8 BODY=8BITMIME",
            "250 2.1.0",
        ),
        ("FROM:<\"ä b\"@b.example> SMTPUTF8", "250 2.1.0"),
        ("FROM:<a@b.example> SMTPUTF8", "250 2.1.0"),
        ("FROM:<> SMTPUTF8", "250 2.1.0"),
        ("FROM:<ä@b.example>", "553 5.6.7"),
        ("FROM:<a@bücher.example> BODY=8BITMIME", "553 5.6.7"),
        ("FROM:<a@b.example> SMTPUTF8=yes", "501 5.5.4"),
        ("FROM:<a@b.example> SMTPUTF8 SMTPUTF8", "501 5.5.4"),
        ("FROM:<a\u{3000}b@b.example> SMTPUTF8", "501 5.1.7"),
        ("FROM:<a\u{85}b@b.example> SMTPUTF8", "501 5.1.7"),
        ("FROM:<a@b\u{3002}example> SMTPUTF8", "501 5.1.7"),
    ] {
        let said = Server::greeted().say(format!("MAIL {arguments}\r\n").as_bytes());
        assert!(said.starts_with(reply), "{arguments}: {said}");
    }
    let said = Server::greeted().say(b"MAIL FROM:<\xff\xfe@b.example> SMTPUTF8\r\n");
    assert!(said.starts_with("501 5.1.7"), "{said}");
}

#[test]
fn a_recipient_outside_ascii_needs_smtputf8_in_mail() {
    let (plain, utf8) = ("FROM:<a@b.example>", "FROM:<a@b.example> SMTPUTF8");
    for (mail, rcpt, reply) in [
        (utf8, "TO:<ä@desk.example>", "250 2.1.5"),
        (
            utf8,
            "TO:<ä@desk.example> ORCPT=utf-8;ö@desk.example",
            "250 2.1.5",
        ),
        (
            utf8,
            "TO:<user@desk.example> ORCPT=rfc822;ö@desk.example",
            "501 5.5.4",
        ),
        (utf8, "TO:<user@desk.example> SMTPUTF8", "555 5.5.4"),
        (plain, "TO:<ä@desk.example>", "553 5.6.7"),
        (
            plain,
            "TO:<user@desk.example> ORCPT=utf-8;ö@desk.example",
            "501 5.5.4",
        ),
    ] {
        let said = recipient(mail, rcpt);
        assert!(said.starts_with(reply), "{mail} {rcpt}: {said}");
    }
}

#[test]
fn smtputf8_holds_for_one_transaction_and_is_named_in_the_protocol() {
    let mut server = Server::secured();
    server.say("MAIL FROM:<ä@b.example> SMTPUTF8\r\nRCPT TO:<ä@desk.example>\r\n".as_bytes());
    server.data(b".\r\n");
    let message = &server.messages[0];
    assert!(message.mail.smtputf8);
    assert_eq!(message.recipients, ["ä@desk.example"]);
    assert_eq!(server.session.protocol(true), "UTF8SMTPS");
    server.say(b"MAIL FROM:<a@b.example>\r\n");
    let said = server.say("RCPT TO:<ä@desk.example>\r\n".as_bytes());
    assert!(said.starts_with("553 5.6.7 "), "{said}");
    // A reply is ASCII even if the address is not.
    assert!(said.is_ascii());
    let verified = server.say("VRFY ä SMTPUTF8\r\n".as_bytes());
    assert!(verified.starts_with("252 2.5.0 "), "{verified}");
}
