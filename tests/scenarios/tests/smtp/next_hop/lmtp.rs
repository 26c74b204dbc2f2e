//! A next hop that speaks LMTP (RFC 2033) answers for each recipient: the one with room has the
//! message, the other waits, and nobody gets it twice.

use test_support::RelayBuilder;

use super::server::Server;
use crate::MESSAGE;

#[test]
fn each_lmtp_recipient_has_its_own_reply() {
    let server = Server::start(
        &["PIPELINING"],
        "250 2.0.0 stored\r\n452 4.2.2 mailbox full\r\n",
    );
    let relay = RelayBuilder::usual(server.address)
        .replace("tls = \"none\"", "tls = \"none\", protocol = \"lmtp\"")
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start();
    let to = ["room@desk.example", "full@desk.example"];
    let mut client = relay.client("mx");
    client.ehlo();
    client.deliver("ann@sender.example", &to, MESSAGE).unwrap();
    let came = server.take();
    assert!(came.commands[0].starts_with("LHLO "), "{:?}", came.commands);
    relay.logged("452 4.2.2 mailbox full");
    let waiting = format!("{:?}", relay.json(&["queue", "list", "--messages"]));
    assert!(waiting.contains("mailbox full"), "{waiting}");
}
