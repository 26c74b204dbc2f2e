//! A default route that names an LMTP server of the application reaches it, over LMTP.

use test_support::{RelayBuilder, Sink};

use super::server::Server;
use crate::MESSAGE;

#[test]
fn inbound_mail_goes_to_the_named_lmtp_server() {
    let application = Server::start(&["PIPELINING"], "250 2.0.0 stored\r\n");
    let other = Sink::start();
    let port = application.address.port();
    let routes = format!(
        "\n[routes]\ninbound = \"lmtp desk\"\n\
         [lmtp.desk]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n"
    );
    let relay = RelayBuilder::usual(other.address()).with(&routes).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let to = ["help@desk.example"];
    client.deliver("ann@sender.example", &to, MESSAGE).unwrap();
    let came = application.take();
    assert!(came.commands[0].starts_with("LHLO "), "{:?}", came.commands);
    relay.logged("250 2.0.0 stored");
    assert!(other.rest().is_empty());
}
