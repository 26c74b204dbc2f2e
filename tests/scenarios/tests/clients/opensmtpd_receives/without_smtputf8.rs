//! OpenSMTPD knows no SMTPUTF8: a message that needs it goes back to its sender (RFC 6531 section
//! 3.5).

use test_support::{Client, OpenSmtpd, RelayBuilder, Sink};

use crate::{internationalised, nothing_is_left};

#[test]
fn a_message_that_needs_it_goes_back() {
    let sink = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(opensmtpd.address()).start();
    let mut client = Client::greeted(relay.address("mx"));
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example> SMTPUTF8", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    client.send(internationalised::message()).unwrap();
    client.command(".", 250);
    let bounce = sink.take();
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    assert!(report.contains("Status: 5.6.7"), "{report}");
    drop(client);
    nothing_is_left(relay, opensmtpd, sink);
}
