//! Keys are changed without a message that is unsigned or does not verify: the next ones take over
//! when their own records are seen, and those before them stay in the DNS.

use crate::{CUSTOMER, Customer, assert_signed, by_mx, publish, server, states, zone};
use test_support::DnsServer;

#[test]
fn a_rotation_leaves_no_gap() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let customer = Customer::on(by_mx(&dns, server.address().port()).start(), &[CUSTOMER]);
    let nothing = ["dkim", "rotate", CUSTOMER, "--account", "acme.desk.test"];
    let refusal = customer.relay.refuses(&nothing);
    assert!(refusal.contains("none to rotate"), "{refusal}");
    customer.sign_for(CUSTOMER, &dns);
    let signs_with = |turn| {
        customer.submit("help@customer.example");
        let taken = server.take();
        assert_signed(&dns, &taken, CUSTOMER, turn);
        taken
    };
    let before = signs_with(1);
    let next = customer.dkim(&["rotate", CUSTOMER]);
    let selectors: Vec<_> = next
        .iter()
        .map(|key| key["selector"].as_str().unwrap())
        .collect();
    assert_eq!(selectors, ["desk-rsa-2", "desk-ed25519-2"]);
    signs_with(1);
    customer.dkim(&["check", CUSTOMER]);
    signs_with(1);
    let waits = customer.relay.refuses(&nothing);
    assert!(waits.contains("waits for its record already"), "{waits}");

    publish(&dns, &next);
    let keys = customer.dkim(&["check", CUSTOMER]);
    // In the order of their selectors.
    assert_eq!(states(&keys), ["retired", "active", "retired", "active"]);
    assert!(keys[0]["removable"].as_u64() > keys[0]["since"].as_u64());
    signs_with(2);
    // What was signed before verifies still.
    assert_signed(&dns, &before, CUSTOMER, 1);
    let taken = customer.relay.refuses(&nothing);
    assert!(taken.contains("both selectors"), "{taken}");

    let retire = ["retire", CUSTOMER, "desk-ed25519-2"];
    assert_eq!(customer.dkim(&retire)[0]["state"], "retired");
    customer.submit("help@customer.example");
    let one = crate::verified(&dns, &server.take().bytes());
    assert_eq!(one, ["pass customer.example desk-rsa-2"]);
    customer.relay.leaves_nothing(server);
}
