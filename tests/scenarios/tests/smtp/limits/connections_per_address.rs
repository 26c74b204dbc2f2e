//! Too many connections from one address: 421 to its next, while other addresses are welcome.
//! Behind a load balancer the address is that of the client.

use test_support::{Client, RelayBuilder, Sink};

use crate::MESSAGE;
use crate::proxy::header::connect_as;

#[test]
fn one_address_does_not_take_all_places() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nconnections-per-address = 2")
        .start();
    let _first = relay.client("mx");
    let _second = relay.client("submission");
    let mut third = Client::connect(relay.address("mx")).unwrap();
    assert_eq!(third.expect(421).enhanced(), Some("4.7.0"));
    assert!(third.closed());
    drop((_first, _second));
    relay.leaves_nothing(sink);
}

#[test]
fn behind_a_balancer_each_client_has_its_own_places() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\nproxy-from = [\"127.0.0.0/8\"]",
        )
        .with("[limits]\nconnections-per-address = 1")
        .start();
    let mx = relay.address("mx");
    let mut first = connect_as("192.0.2.1:1025", mx);
    first.expect(220);
    let mut again = connect_as("192.0.2.1:1026", mx);
    assert_eq!(again.expect(421).enhanced(), Some("4.7.0"));
    assert!(again.closed());
    let mut other = connect_as("192.0.2.2:1025", mx);
    other.expect(220);
    other.ehlo();
    let reply = other.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    sink.take();
    drop((first, other));
    relay.leaves_nothing(sink);
}
