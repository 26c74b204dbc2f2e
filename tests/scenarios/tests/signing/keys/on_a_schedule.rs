//! The relay itself looks for records that it has not seen, and for those of keys that sign.

use crate::{
    CUSTOMER, Customer, assert_signed, assert_unsigned, by_mx, publish, record_name, server,
    states, zone,
};
use test_support::DnsServer;

#[test]
fn the_relay_sees_by_itself_that_a_record_comes_and_goes() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let relay = by_mx(&dns, server.address().port()).replace(
        "look-pending = \"1h\"",
        "look-pending = \"1s\"\nlook-active = \"1s\"",
    );
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    let keys = customer.dkim(&["generate", CUSTOMER]);
    publish(&dns, &keys);
    let becomes = |state: &str| {
        customer.relay.eventually("the state", |_| {
            let keys = customer.dkim(&["show", CUSTOMER]);
            (states(&keys) == [state, state]).then_some(())
        });
    };
    becomes("active");
    customer.submit("help@customer.example");
    assert_signed(&dns, &server.take(), CUSTOMER, 1);
    for key in &keys {
        dns.zone().forget(record_name(key));
    }
    becomes("lost");
    customer.submit("help@customer.example");
    assert_unsigned(&server.take());
    customer.relay.leaves_nothing(server);
}
