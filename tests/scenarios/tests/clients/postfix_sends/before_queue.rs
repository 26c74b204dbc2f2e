//! The relay as Postfix's before-queue filter (smtpd_proxy_filter): Postfix tells it by XFORWARD who
//! is there, and the client is told what the relay says.

use test_support::{Client, Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward, numbered, submit};

const TRUSTED: &str = "direction = \"inbound\"\nxforward-from = [\"127.0.0.0/8\"]";

#[test]
fn the_client_is_told_what_the_relay_says() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace("direction = \"inbound\"", TRUSTED)
        .start();
    let before_queue = format!("smtpd_proxy_filter = {}", relay.address("mx"));
    let Some(postfix) = Postfix::with(sink.address(), &before_queue) else {
        return;
    };
    submit(postfix.address(), &["user@desk.example"], &awkward());
    let line = relay.logged("passed on for another");
    assert!(line.contains(" ADDR=127.0.0.1 "), "{line}");
    assert!(line.contains(" HELO=client.example "), "{line}");
    assert_whole(&sink.take(), &awkward());

    let mut client = Client::greeted(postfix.address());
    client.ehlo();
    let recipients = ["x@elsewhere.example"];
    let reply = client.deliver("ann@sender.example", &recipients, &numbered(1));
    let reply = reply.unwrap();
    assert_eq!((reply.code, reply.enhanced()), (550, Some("5.7.1")));
    let said = relay.events(&reply.transaction(), "recipient");
    assert_eq!(said[0]["address"], "x@elsewhere.example");
    postfix.drained();
    relay.leaves_nothing(sink);
}
