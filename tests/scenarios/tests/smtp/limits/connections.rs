//! Too many connections in total: the next is told 421 instead of a greeting, and closed (RFC 5321
//! section 3.8); those that are in are served, and a place that is left is free.

use std::time::Instant;

use test_support::{Client, PATIENCE, RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn connected_clients_are_served_at_the_limit() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nconnections = 2")
        .start();
    // All listeners count together.
    let mut first = relay.client("mx");
    let mut second = relay.client("submission");
    for listener in ["mx", "submission"] {
        let mut third = Client::connect(relay.address(listener)).unwrap();
        assert_eq!(third.expect(421).enhanced(), Some("4.7.0"));
        assert!(third.closed());
    }
    first.ehlo();
    let reply = first.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    sink.take();

    second.command("QUIT", 221);
    drop(second);
    let begun = Instant::now();
    // The place is free a moment after the connection has ended.
    while Client::connect(relay.address("mx"))
        .unwrap()
        .reply()
        .unwrap()
        .code
        != 220
    {
        assert!(begun.elapsed() < PATIENCE, "the place is not given back");
    }
    drop(first);
    relay.leaves_nothing(sink);
}
