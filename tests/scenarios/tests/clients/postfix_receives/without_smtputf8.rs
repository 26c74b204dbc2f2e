//! Postfix does not offer SMTPUTF8: a message that needs it goes back to its sender (RFC 6531
//! section 3.5); where only domains are outside ASCII, they go as A-labels (RFC 5890).

use test_support::{Client, Postfix, RelayBuilder, Sink};

use crate::{internationalised, nothing_is_left, numbered};

const WITHOUT: &str = "smtpd_discard_ehlo_keywords = smtputf8, silent-discard";

#[test]
fn a_message_that_needs_it_goes_back() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::with(sink.address(), WITHOUT) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    let mut client = Client::greeted(relay.address("mx"));
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example> SMTPUTF8", 250);
    client.command("RCPT TO:<jürgen@desk.example>", 250);
    client.command("DATA", 354);
    client.send(internationalised::message()).unwrap();
    client.command(".", 250);
    let bounce = sink.take();
    assert_eq!(bounce.from, "");
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    assert!(report.contains("Status: 5.6.7"), "{report}");
    drop(client);
    nothing_is_left(relay, postfix, sink);
}

#[test]
fn domains_go_as_a_labels() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::with(sink.address(), WITHOUT) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address())
        .replace("\"desk.example\"", "\"bücher.example\"")
        .start();
    let mut client = Client::greeted(relay.address("mx"));
    client.ehlo();
    client.command("MAIL FROM:<ann@münchen.example> SMTPUTF8", 250);
    client.command("RCPT TO:<user@bücher.example>", 250);
    client.command("DATA", 354);
    client.send(numbered(1)).unwrap();
    client.command(".", 250);
    let taken = sink.take();
    assert_eq!(taken.from, "ann@xn--mnchen-3ya.example");
    assert_eq!(taken.to, ["user@xn--bcher-kva.example"]);
    assert!(!taken.smtputf8);
    drop(client);
    nothing_is_left(relay, postfix, sink);
}
