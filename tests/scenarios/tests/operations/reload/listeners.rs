//! A listener that is added takes connections; one that is gone takes no more, and its sessions go
//! on to their end.

use std::net::{TcpListener, TcpStream};

use test_support::{Client, RelayBuilder, Sink};

use super::listening;
use crate::{CHAIN, MESSAGE};

#[test]
fn listeners_are_added_and_removed() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let former = relay.address("mx");
    let mut open = relay.client("mx");
    open.ehlo();

    let reloaded = relay.reloads(&builder.replace("name = \"mx\"", "name = \"new\""));
    let mut new = Client::greeted(listening(&reloaded, "new"));
    assert_eq!(
        listening(&reloaded, "submission"),
        relay.address("submission"),
        "what stays keeps its socket"
    );
    assert!(TcpStream::connect(former).is_err());
    new.ehlo();
    for client in [&mut open, &mut new] {
        let to = ["x@desk.example"];
        let reply = client.deliver("ann@sender.example", &to, MESSAGE).unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        sink.take();
    }
    relay.leaves_nothing(sink);
}

/// The socket is known by its address: another name and another way to speak TLS do not close it.
#[test]
fn a_listener_changes_in_its_place() {
    let sink = Sink::start();
    // No other test has anything at this address, so that its ports stay free.
    let free = TcpListener::bind("127.0.83.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let listener = format!(
        "[[listener]]\nname = \"first\"\naddress = \"{address}\"\ndirection = \"inbound\"\n{CHAIN}\ntls = \"none\""
    );
    let builder = RelayBuilder::usual(sink.address()).with(&listener);
    let relay = builder.clone().start();
    let mut open = relay.client("first");
    assert!(!open.ehlo().contains(&"STARTTLS".to_owned()));

    let reloaded = relay.reloads(
        &builder
            .replace("name = \"first\"", "name = \"second\"")
            .replace("\ntls = \"none\"", "\ntls = \"starttls\""),
    );
    assert_eq!(listening(&reloaded, "second"), address);
    assert!(
        Client::greeted(address)
            .ehlo()
            .contains(&"STARTTLS".to_owned())
    );
    open.command("MAIL FROM:<ann@sender.example>", 250);
    open.command("RSET", 250);
    relay.leaves_nothing(sink);
}

#[test]
fn monitoring_addresses_are_added_and_removed() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let with = builder.clone().with("[http]\naddress = \"127.0.0.1:0\"");
    let address = listening(&relay.reloads(&with), "http");
    assert!(TcpStream::connect(address).is_ok());
    relay.reloads(&builder);
    assert!(TcpStream::connect(address).is_err());
    relay.leaves_nothing(sink);
}
