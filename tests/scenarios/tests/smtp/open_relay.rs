//! Nobody is carried to a foreign domain without a password, however the address is dressed up
//! (RFC 5321 sections 3.6.1 and 7.8, appendix C and F.2).

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

/// The domain is foreign: refused.
const FOREIGN: &[&str] = &[
    "x@elsewhere.example",
    "x@ELSEWHERE.example",
    "@desk.example:x@elsewhere.example",
    "@desk.example,@desk.example:x@elsewhere.example",
    "user@desk.example@elsewhere.example",
    "\"user@desk.example\"@elsewhere.example",
    "\"x@elsewhere.example\"",
    "x@sub.desk.example",
    "x@desk.example.elsewhere.example",
    "x@notdesk.example",
    "x@[127.0.0.1]",
    "x@mx.desk.example",
    "elsewhere.example!x",
    "x",
];

#[test]
fn a_foreign_domain_is_refused() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for address in FOREIGN {
        let mut client = relay.client("mx");
        client.ehlo();
        client.command("MAIL FROM:<ann@sender.example>", 250);
        client.send(format!("RCPT TO:<{address}>\r\n")).unwrap();
        let reply = client.reply().unwrap();
        assert!((500..=599).contains(&reply.code), "{address}: {reply:?}");
        // Nor does a good recipient open the way for the next.
        client.command("RCPT TO:<user@desk.example>", 250);
        client.send(format!("RCPT TO:<{address}>\r\n")).unwrap();
        let reply = client.reply().unwrap();
        assert!((500..=599).contains(&reply.code), "{address}: {reply:?}");
        client.command("DATA", 354);
        client.send(MESSAGE).unwrap();
        client.command(".", 250);
        assert_eq!(sink.take().to, ["user@desk.example"], "{address}");
    }
    relay.leaves_nothing(sink);
}

/// A route in front is left out of account (RFC 5321 appendix C): it is not passed on.
#[test]
fn a_route_in_front_means_nothing() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let routed = ["@elsewhere.example:x@desk.example"];
    let reply = client.deliver("ann@sender.example", &routed, MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(sink.take().to, ["x@desk.example"]);
    drop(client);
    relay.leaves_nothing(sink);
}

/// A sender of our own domain proves nothing.
#[test]
fn a_forged_sender_opens_nothing() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    for sender in ["user@desk.example", "", "postmaster@mx.desk.example"] {
        let reply = client.deliver(sender, &["x@elsewhere.example"], MESSAGE);
        assert_eq!(reply.unwrap().code, 550, "{sender}");
    }
    drop(client);
    relay.leaves_nothing(sink);
}
