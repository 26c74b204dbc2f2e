//! Requests for notifications in an envelope (RFC 3461, and RFC 6533 for addresses outside ASCII).

use crate::common;

use common::{Server, settings};
use gatepost_smtp::dsn::{EnvelopeId, Notify, OriginalRecipient, Ret, decode_xtext, encode_xtext};
use proptest::prelude::*;

/// Returns the codes of the replies to this command, which is MAIL or RCPT.
fn answered(command: &str) -> String {
    let mut server = match command.starts_with("MAIL") {
        true => Server::greeted(),
        false => Server::in_transaction(settings()),
    };
    server.say(format!("{command}\r\n").as_bytes())
}

#[test]
fn mail_checks_ret_and_envid() {
    let long = |length: usize| format!("ENVID={}", "x".repeat(length));
    for (parameter, reply) in [
        ("RET=FULL", "250 2.1.0"),
        ("ret=hdrs", "250 2.1.0"),
        ("RET", "501 5.5.4"),
        ("RET=", "501 5.5.4"),
        ("RET=BODY", "501 5.5.4"),
        ("RET=FULL RET=HDRS", "501 5.5.4"),
        ("ENVID=QQ314159", "250 2.1.0"),
        ("ENVID=a+3Db+2B+20c RET=HDRS", "250 2.1.0"),
        (&long(100), "250 2.1.0"),
        (&long(101), "501 5.5.4"),
        ("ENVID", "501 5.5.4"),
        ("ENVID=", "501 5.5.4"),
        ("ENVID=a+3d", "501 5.5.4"),
        ("ENVID=a+3", "501 5.5.4"),
        // A line break would inject into the notification.
        ("ENVID=a+0D+0AX:+20b", "501 5.5.4"),
        ("ENVID=+C3+A4", "501 5.5.4"),
        ("NOTIFY=NEVER", "555 5.5.4"),
    ] {
        let said = answered(&format!("MAIL FROM:<a@sender.example> {parameter}"));
        assert!(said.starts_with(reply), "{parameter}: {said}");
    }
}

#[test]
fn rcpt_checks_notify_and_orcpt() {
    let long = |length: usize| format!("ORCPT=rfc822;{}", "x".repeat(length - "rfc822;".len()));
    for (parameter, reply) in [
        ("NOTIFY=NEVER", "250 2.1.5"),
        ("notify=never", "250 2.1.5"),
        ("NOTIFY=SUCCESS", "250 2.1.5"),
        ("NOTIFY=delay,Failure,SUCCESS", "250 2.1.5"),
        ("NOTIFY=NEVER,FAILURE", "501 5.5.4"),
        ("NOTIFY=FAILURE,NEVER", "501 5.5.4"),
        ("NOTIFY=DELAY,DELAY", "501 5.5.4"),
        ("NOTIFY=SUCCESS,", "501 5.5.4"),
        ("NOTIFY=ALWAYS", "501 5.5.4"),
        ("NOTIFY=", "501 5.5.4"),
        ("NOTIFY", "501 5.5.4"),
        ("NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4"),
        ("ORCPT=rfc822;first@desk.example", "250 2.1.5"),
        ("ORCPT=rfc822;a+2Bb@c.example NOTIFY=NEVER", "250 2.1.5"),
        ("ORCPT=x400;/C=US", "501 5.5.4"),
        ("ORCPT=x400;/C+3DUS", "250 2.1.5"),
        (r"ORCPT=utf-8;\x{E4}@desk.example", "250 2.1.5"),
        ("ORCPT=rfc822;+C3+A4@desk.example", "250 2.1.5"),
        (&long(500), "250 2.1.5"),
        (&long(501), "501 5.5.4"),
        ("ORCPT=first@desk.example", "501 5.5.4"),
        ("ORCPT=;first@desk.example", "501 5.5.4"),
        ("ORCPT=rfc822;", "501 5.5.4"),
        ("ORCPT=r:c;first@desk.example", "501 5.5.4"),
        ("ORCPT=rfc822;a+0D+0AX:+20b", "501 5.5.4"),
        (r"ORCPT=utf-8;\x{D800}@desk.example", "501 5.5.4"),
        (r"ORCPT=utf-8;\x{0A}@desk.example", "501 5.5.4"),
        (r"ORCPT=utf-8;\x{E4@desk.example", "501 5.5.4"),
        (r"ORCPT=utf-8;\xE4@desk.example", "501 5.5.4"),
        ("ORCPT=utf-8;\u{e4}@desk.example", "501 5.5.4"),
        ("ORCPT=rfc822;a ORCPT=rfc822;a", "501 5.5.4"),
        ("ORCPT", "501 5.5.4"),
        ("RET=HDRS", "555 5.5.4"),
    ] {
        let said = answered(&format!("RCPT TO:<user@desk.example> {parameter}"));
        assert!(said.starts_with(reply), "{parameter}: {said}");
    }
}

#[test]
fn requests_reach_the_owner_decoded() {
    let mut server = Server::greeted();
    server.say(b"MAIL FROM:<a@sender.example> RET=HDRS ENVID=QQ+2B314159\r\n");
    server
        .say(b"RCPT TO:<user@desk.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb@c.example\r\n");
    server.say(b"RCPT TO:<x@desk.example>\r\n");
    server.data(b".\r\n");
    let message = &server.messages[0];
    let asked = &message.mail.dsn;
    assert_eq!(asked.ret, Some(Ret::Headers));
    assert_eq!(asked.envelope_id.as_ref().unwrap().as_str(), "QQ+314159");
    assert_eq!(asked.to_string(), "RET=HDRS ENVID=QQ+2B314159");
    let asked = &message.requests[0];
    let notify = asked.notify.unwrap();
    assert!(notify.failure && notify.delay && !notify.success);
    let original = asked.original.as_ref().unwrap();
    assert_eq!(original.address_type, "rfc822");
    assert_eq!(original.address, "a+b@c.example");
    let parameters = "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb@c.example";
    assert_eq!(asked.to_string(), parameters);
    assert_eq!(message.requests[1].to_string(), "");
}

#[test]
fn an_original_recipient_outside_ascii_is_written_in_ascii() {
    let original = OriginalRecipient::parse(r"UTF-8;\x{E4}\x{2B}b@\x{4F8B}.example").unwrap();
    assert_eq!(original.address, "\u{e4}+b@\u{4f8b}.example");
    let value = r"UTF-8;\x{E4}\x{2B}b@\x{4F8B}.example";
    assert_eq!(original.value(), value);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn xtext_encodes_any_text(text in any::<String>()) {
        let encoded = encode_xtext(&text);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_graphic() && b != b'='));
        prop_assert_eq!(decode_xtext(&encoded), Some(text));
    }

    #[test]
    fn an_orcpt_that_is_read_is_written_alike(value in r"(rfc822|utf-8|x);([ -~\u{80}-\u{ffff}]|\+[0-9A-F]{2}|\\x\{[0-9A-F]{2,6}\}){1,20}") {
        if let Some(original) = OriginalRecipient::parse(&value) {
            prop_assert!(original.value().bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(OriginalRecipient::parse(&original.value()), Some(original));
        }
        if let Some(id) = EnvelopeId::from_xtext(&value) {
            prop_assert_eq!(EnvelopeId::from_xtext(&id.to_xtext()), Some(id));
        }
        if let Some(notify) = Notify::parse(&value) {
            prop_assert_eq!(Notify::parse(&notify.value()), Some(notify));
        }
    }
}
