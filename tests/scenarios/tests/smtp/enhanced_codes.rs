//! Every reply carries an enhanced code of its own class, on each of its lines, but for greeting,
//! EHLO and HELO, and what only asks for more (RFC 2034 section 4, RFC 3463).

use test_support::{Client, RelayBuilder, Reply, Sink};

use crate::MESSAGE;

/// Commands of a long session, each with the code of its reply. Every command is there, used
/// rightly and wrongly.
const SESSION: &[(&str, u16)] = &[
    ("MAIL FROM:<ann@sender.example>", 503),
    ("HELO", 501),
    ("EHLO ", 501),
    ("HELO client.example", 250),
    ("FOO", 500),
    ("", 500),
    ("NOOP", 250),
    ("HELP", 214),
    ("VRFY", 501),
    ("VRFY user", 252),
    ("EXPN list", 502),
    ("RCPT TO:<user@desk.example>", 503),
    ("DATA", 503),
    ("AUTH PLAIN", 538),
    ("STARTTLS now", 501),
    ("STARTTLS", 220),
    ("MAIL FROM:<user@desk.example>", 503),
    ("EHLO client.example", 250),
    ("STARTTLS", 503),
    ("MAIL FROM:<user@desk.example>", 530),
    ("AUTH", 501),
    ("AUTH GSSAPI", 504),
    ("AUTH PLAIN", 334),
    ("*", 501),
    ("AUTH PLAIN !!!!", 501),
    ("AUTH PLAIN AHVzZXIAd3Jvbmc=", 535),
    ("AUTH LOGIN", 334),
    ("dXNlcg==", 334),
    ("c2VjcmV0", 235),
    ("AUTH PLAIN AHVzZXIAc2VjcmV0", 503),
    ("MAIL FROM:user@desk.example", 501),
    ("MAIL FROM:<user@desk.example> FOO=BAR", 555),
    ("MAIL FROM:<user@desk.example> BODY=16BIT", 501),
    ("MAIL FROM:<user@desk.example> SIZE=99999999999", 552),
    ("MAIL FROM:<\u{e4}@desk.example>", 553),
    ("MAIL FROM:<user@desk.example>", 250),
    ("MAIL FROM:<user@desk.example>", 503),
    ("RCPT TO:<@>", 501),
    ("RCPT TO:<x@elsewhere.example> FOO=BAR", 555),
    ("DATA", 503),
    ("RCPT TO:<one@elsewhere.example>", 250),
    ("RCPT TO:<two@elsewhere.example>", 250),
    ("RCPT TO:<three@elsewhere.example>", 452),
    ("DATA now", 501),
    ("RSET now", 501),
    ("RSET", 250),
    ("MAIL FROM:<user@desk.example>", 250),
    ("RCPT TO:<one@elsewhere.example>", 250),
    ("DATA", 354),
    // Here comes the message.
    (".", 250),
    ("NOOP\rNOOP", 500),
    ("QUIT now", 501),
    ("QUIT", 221),
];

#[test]
fn every_reply_has_an_enhanced_code() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nrecipients = 2\nerrors = 1000")
        .start();
    let mut client = Client::connect(relay.address("submission")).unwrap();
    assert_eq!(client.expect(220).enhanced(), None, "the greeting has none");
    for (line, code) in SESSION {
        if *line == "." {
            client.send(MESSAGE).unwrap();
        }
        let reply = client.command(line, *code);
        check(line, &reply);
        if *code == 220 {
            client.secure().unwrap();
        }
    }
    assert!(client.closed());
    sink.take();
    relay.leaves_nothing(sink);
}

/// Those that end a session.
#[test]
fn a_closing_reply_has_an_enhanced_code() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nerrors = 1\nconnections = 1")
        .start();
    let mut client = relay.client("mx");
    let mut other = Client::connect(relay.address("mx")).unwrap();
    check("too many connections", &other.expect(421));
    client.command("FOO", 500);
    check("too many errors", &client.command("NOOP", 421));
    drop(client);
    relay.leaves_nothing(sink);
}

fn check(line: &str, reply: &Reply) {
    let hello = reply.code == 250
        && line
            .split(' ')
            .next()
            .is_some_and(|verb| verb.ends_with("LO"));
    let asks_for_more = reply.code / 100 == 3;
    assert_eq!(
        reply.enhanced().is_none(),
        hello || asks_for_more,
        "{line}: {reply:?}"
    );
}
