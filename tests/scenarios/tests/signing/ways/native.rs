//! Mail of native addresses leaves by MX with the signature of the site's own domain, above them in
//! the same organisation. A customer's domain is never signed for with a key of the site.

use crate::{
    CUSTOMER, Customer, assert_signed, assert_unsigned, by_mx, server, sign_for_site, zone,
};
use test_support::DnsServer;

#[test]
fn the_site_signs_for_native_addresses_alone() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let customer = Customer::on(by_mx(&dns, server.address().port()).start(), &[CUSTOMER]);
    sign_for_site(&customer.relay, "desk.test", &dns);
    customer.submit("help@acme.desk.test");
    assert_signed(&dns, &server.take(), "desk.test", 1);
    customer.submit("help@customer.example");
    assert_unsigned(&server.take());
    let taken = customer.relay.refuses(&["dkim", "generate", CUSTOMER]);
    assert!(taken.contains("already belongs to account"), "{taken}");
    customer.relay.leaves_nothing(server);
}
