//! The addresses that a customer has to allow are printed, and a relay does not start with one that
//! the machine has not.

use test_support::{RelayBuilder, Sink};

const POOL: &str = "\n[egress.bulk]\naddresses = [\"127.0.0.1\"]\n";

#[test]
fn egress_prints_the_pools_and_a_missing_address_stops_the_start() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).with(POOL).start();
    let printed = relay.json(&["egress"]);
    assert_eq!(printed[0]["pool"], "bulk");
    assert_eq!(printed[0]["address"], "127.0.0.1");
    assert!(printed[0]["problem"].is_null());
    let unknown = relay.command(&["egress", "other"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no pool other"));
    relay.leaves_nothing(sink);

    let sink = Sink::start();
    // Of a network for documentation (RFC 5737).
    let missing = POOL.replace("127.0.0.1", "192.0.2.77");
    let started = RelayBuilder::usual(sink.address())
        .with(&missing)
        .try_start();
    let error = started.err().unwrap();
    assert!(
        error.contains("192.0.2.77 of the pool bulk cannot be used"),
        "{error}"
    );
}
