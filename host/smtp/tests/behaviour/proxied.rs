//! XCLIENT and XFORWARD from trusted and untrusted clients.

use crate::common;

use std::net::SocketAddr;

use common::{Server, settings};
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Answer, Attribute, Trust};

const PEER: &str = "127.0.0.1:4000";

fn trusted(tls: bool) -> Server {
    let mut server = Server::new(settings(), tls);
    server.session.trust(Trust {
        xclient: true,
        xforward: true,
    });
    server.hear();
    server
}

fn client(server: &Server) -> SocketAddr {
    let peer = PEER.parse().unwrap();
    let proxied = server.session.proxied();
    proxied.map_or(peer, |said| said.client(peer))
}

#[test]
fn xclient_and_xforward_are_offered_only_to_trusted_clients() {
    let offer = trusted(true).say(b"EHLO c\r\n");
    assert!(
        offer.contains("250-XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT LOGIN\r\n")
            && offer.contains("250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n"),
        "{offer}"
    );
    let mut other = Server::greeted();
    assert!(!other.say(b"EHLO c\r\n").contains("XCLIENT"));
    for line in ["XCLIENT ADDR=192.0.2.1", "XFORWARD ADDR=192.0.2.1"] {
        let said = other.say(format!("{line}\r\n").as_bytes());
        assert!(said.starts_with("550 5.7.0 "), "{said}");
    }
    assert_eq!(client(&other), PEER.parse().unwrap());
}

#[test]
fn xclient_begins_the_session_anew_for_the_named_client() {
    let mut server = trusted(false);
    server.say(b"EHLO proxy.example\r\n");
    let said =
        server.say(b"XCLIENT NAME=spike.example ADDR=192.0.2.1 PORT=7 HELO=spike PROTO=SMTP\r\n");
    assert_eq!(said, "220 mx.desk.example ESMTP Gatepost\r\n");
    assert!(
        server
            .say(b"MAIL FROM:<>\r\n")
            .starts_with("503 5.5.1 Say EHLO")
    );
    server.say(b"EHLO proxy.example\r\n");
    assert_eq!(client(&server), "192.0.2.1:7".parse().unwrap());
    assert_eq!(server.session.helo(), Some("spike"));
    assert_eq!(server.session.protocol(false), "SMTP");
    // A later value replaces an earlier one; the others stay.
    server.say(b"XCLIENT HELO=[UNAVAILABLE]\r\nEHLO x.example\r\n");
    assert_eq!(client(&server), "192.0.2.1:7".parse().unwrap());
    assert_eq!(server.session.helo(), Some("x.example"));
    // The client's address is unknown: then the peer's counts.
    server.say(b"XCLIENT ADDR=[TEMPUNAVAIL]\r\n");
    assert_eq!(client(&server), PEER.parse().unwrap());
}

#[test]
fn xclient_values_are_decoded_and_checked() {
    for (attributes, code) in [
        ("ADDR=192.0.2.1", "220 "),
        ("addr=ipv6:2001:db8::1 port=25", "220 "),
        ("HELO=[192.0.2.1]", "220 "),
        ("NAME=a+2Bb", "220 "),
        ("DESTADDR=192.0.2.9 DESTPORT=25 PROTO=esmtp", "220 "),
        ("", "501 5.5.4 "),
        ("ADDR", "501 5.5.4 "),
        ("ADDR=", "501 5.5.4 "),
        ("ADDR=2001:db8::1", "501 5.5.4 "),
        ("ADDR=spike", "501 5.5.4 "),
        ("PORT=65536", "501 5.5.4 "),
        ("PROTO=LMTP", "501 5.5.4 "),
        ("HELO=a+20b", "501 5.5.4 "),
        ("NAME=a+0D+0Ab", "501 5.5.4 "),
        ("NAME=a+zz", "501 5.5.4 "),
        ("IDENT=x", "501 5.5.4 "),
        // AUTH is not possible in plaintext here, but the proxy may have done it.
        ("LOGIN=user", "220 "),
    ] {
        let said = trusted(false).say(format!("XCLIENT {attributes}\r\n").as_bytes());
        assert!(said.starts_with(code), "{attributes}: {said}");
    }
}

#[test]
fn login_counts_if_the_owner_believes_it() {
    let mut server = trusted(true);
    server.answers = vec![Answer::Reply(Reply::new(535, "5.7.8", "Not known"))];
    assert!(
        server
            .say(b"XCLIENT LOGIN=user\r\n")
            .starts_with("535 5.7.8 ")
    );
    assert_eq!(
        (server.session.user(), server.session.proxied()),
        (None, None)
    );
    server.say(b"XCLIENT LOGIN=user\r\nEHLO c\r\n");
    assert_eq!(server.session.user(), Some("user"));
    assert_eq!(server.session.protocol(false), "ESMTPSA");
    server.say(b"XCLIENT LOGIN=[UNAVAILABLE]\r\n");
    assert_eq!(server.session.user(), None);
}

#[test]
fn a_new_client_inherits_no_attributes() {
    let mut server = trusted(true);
    // In any order and in as many commands as it takes.
    server.say(b"XCLIENT HELO=spike LOGIN=user\r\nXCLIENT ADDR=192.0.2.1 PORT=7\r\nEHLO p\r\n");
    assert_eq!(server.session.helo(), Some("spike"));
    assert_eq!(server.session.user(), Some("user"));
    server.say(b"XCLIENT ADDR=192.0.2.2\r\nEHLO proxy.example\r\n");
    assert_eq!(client(&server), "192.0.2.2:0".parse().unwrap());
    assert_eq!(server.session.helo(), Some("proxy.example"));
    assert_eq!(server.session.user(), None);
}

#[test]
fn a_proxys_own_login_does_not_count_for_its_client() {
    let mut server = trusted(true);
    server.say(b"EHLO proxy.example\r\nAUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
    assert_eq!(server.session.user(), Some("user"));
    server.say(b"XCLIENT ADDR=192.0.2.2\r\n");
    assert_eq!(server.session.user(), None);
}

#[test]
fn xclient_and_xforward_are_refused_in_a_transaction() {
    let mut server = trusted(false);
    server.say(b"EHLO c\r\nMAIL FROM:<>\r\n");
    for line in ["XCLIENT ADDR=192.0.2.1", "XFORWARD ADDR=192.0.2.1"] {
        let said = server.say(format!("{line}\r\n").as_bytes());
        assert!(said.starts_with("503 5.5.1 "), "{said}");
    }
    assert!(server.session.in_transaction());
}

#[test]
fn xforward_holds_for_one_transaction_and_changes_nothing_else() {
    let mut server = trusted(false);
    server.say(b"EHLO c\r\n");
    let said = server.say(b"XFORWARD NAME=spike ADDR=192.0.2.1 PROTO=ESMTP\r\nXFORWARD HELO=h IDENT=1 SOURCE=REMOTE\r\n");
    assert_eq!(Server::codes(&said), ["250", "250"]);
    let forwarded = server.session.forwarded().unwrap();
    assert_eq!(forwarded.value(Attribute::Addr), Some("192.0.2.1"));
    assert_eq!(
        forwarded.to_string(),
        "NAME=spike ADDR=192.0.2.1 PROTO=ESMTP HELO=h IDENT=1 SOURCE=REMOTE"
    );
    assert_eq!(client(&server), PEER.parse().unwrap());
    assert_eq!(server.session.helo(), Some("c"));
    assert!(
        server
            .say(b"XFORWARD LOGIN=user\r\n")
            .starts_with("501 5.5.4 ")
    );
    for said in [
        &b"MAIL FROM:<>\r\nRSET\r\n"[..],
        b"RSET\r\n",
        b"EHLO c\r\n",
        b"XCLIENT NAME=x\r\nEHLO c\r\n",
    ] {
        server.say(b"XFORWARD ADDR=192.0.2.1\r\n");
        assert!(server.session.forwarded().is_some());
        server.say(said);
        assert_eq!(server.session.forwarded(), None);
    }
}

/// The mail may have come from anywhere, by any protocol.
#[test]
fn xforward_values_may_be_any_printable_text() {
    let mut server = trusted(false);
    for line in ["PROTO=QMQP", "HELO=two+20words", "ADDR=somewhere"] {
        let said = server.say(format!("XFORWARD {line}\r\n").as_bytes());
        assert!(said.starts_with("250 "), "{line}: {said}");
    }
    for line in ["HELO=a+0D+0Ab", "HELO=", "NAME=j\u{e9}"] {
        let said = server.say(format!("XFORWARD {line}\r\n").as_bytes());
        assert!(said.starts_with("501 5.5.4 "), "{line}: {said}");
    }
}
