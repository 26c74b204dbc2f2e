//! From a network that must send a PROXY header, a connection without one is closed without a
//! word: nobody knows whose it is (proxy-protocol.txt section 2: the receiver must not guess).

use test_support::{RelayBuilder, Sink};

use super::header::connect_with;

#[test]
fn a_connection_without_the_header_gets_no_greeting() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\nproxy-from = [\"127.0.0.0/8\"]",
        )
        .start();
    for octets in [
        "EHLO client.example\r\nMAIL FROM:<evil@sender.example>\r\n",
        // The first version of the protocol, in text.
        "PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\nEHLO client.example\r\n",
        // A version and a command that there are not.
        "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0cabcdefghijkl",
        // Half of an address.
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x06abcdef",
    ] {
        let mut client = connect_with(octets.as_bytes(), relay.address("mx"));
        assert!(client.closed(), "{octets:?}");
    }
    relay.leaves_nothing(sink);
}
