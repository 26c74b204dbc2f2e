//! Addresses that the grammar of RFC 5321 does not have and that exist: taken as sender and recipient
//! and passed on as they are; with `strict-addresses` refused.

use test_support::{Client, RelayBuilder, Sink};

use crate::MESSAGE;

fn tolerated() -> Vec<String> {
    let mut addresses = vec![
        "try..this..0511@carrier.example".to_owned(),
        "xxx.yyy.@carrier.example".to_owned(),
        ".xxx@carrier.example".to_owned(),
        "ann@my_host.carrier.example".to_owned(),
        format!("bounces+{}@carrier.example", "x".repeat(57)),
    ];
    addresses.push(format!("{}@carrier.example", "l".repeat(254 - 16)));
    addresses
}

#[test]
fn tolerated_addresses_are_passed_on_as_they_are() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let submitting = Client::greeted(relay.address("submission"));
    let mut submitting = submitting.authenticated("user", "secret");
    let mut client = relay.client("mx");
    client.ehlo();
    for address in tolerated() {
        let from = format!("From: <{address}>\r\nTo: <user@desk.example>\r\n\r\nHello!\r\n");
        let reply = client.deliver(&address, &["user@desk.example"], from.as_bytes());
        assert_eq!(reply.unwrap().code, 250, "{address}");
        let taken = sink.take();
        assert_eq!(taken.from, address);
        assert!(taken.bytes().ends_with(from.as_bytes()));
        let reply = submitting.deliver("user@desk.example", &[&address], MESSAGE);
        assert_eq!(reply.unwrap().code, 250, "{address}");
        assert_eq!(sink.take().to, [address]);
    }
    let longer = format!("l{}", tolerated().pop().unwrap());
    client.command(&format!("MAIL FROM:<{longer}>"), 501);
    drop((client, submitting));
    relay.leaves_nothing(sink);
}

#[test]
fn tolerated_addresses_are_refused_if_the_site_is_strict() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nstrict-addresses = true")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    for address in tolerated() {
        let reply = client.command(&format!("MAIL FROM:<{address}>"), 501);
        assert_eq!(reply.enhanced(), Some("5.1.7"), "{address}");
    }
    client.command("MAIL FROM:<ann@sender.example>", 250);
    for address in tolerated() {
        let reply = client.command(&format!("RCPT TO:<{address}>"), 501);
        assert_eq!(reply.enhanced(), Some("5.1.3"), "{address}");
    }
    client.command("RCPT TO:<user@desk.example>", 250);
    drop(client);
    relay.leaves_nothing(sink);
}
