//! Through a customer's own mail service, mail is signed with the customer's key, if the customer
//! has one that is active, and never with the site's.

use crate::{CUSTOMER, Customer, assert_signed, assert_unsigned, by_mx, sign_for_site, zone};
use test_support::{DnsServer, Sink};

#[test]
fn the_customers_service_gets_the_customers_signature_or_none() {
    let (service, dns) = (Sink::start(), DnsServer::start(zone()));
    let of_sender = "[[policy]]\nname = 'outbound-route'\nbuiltin = 'outbound-route'\n\
        [policy.settings]\nroutes = [{ by = 'connection-of-sender' }]\n";
    let relay = by_mx(&dns, 1)
        .replace(
            "direction = \"submission\"\n        chain = []",
            "direction = \"submission\"\n        chain = [\"outbound-route\"]",
        )
        .with(of_sender);
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    customer.connect(&service, "");
    sign_for_site(&customer.relay, "desk.test", &dns);
    customer.submit("help@customer.example");
    assert_unsigned(&service.take());

    customer.dkim(&["generate", CUSTOMER]);
    customer.submit("help@customer.example");
    assert_unsigned(&service.take());

    let waiting = customer.dkim(&["show", CUSTOMER]);
    crate::publish(&dns, &waiting);
    customer.dkim(&["check", CUSTOMER]);
    customer.submit("help@customer.example");
    assert_signed(&dns, &service.take(), CUSTOMER, 1);
    customer.relay.leaves_nothing(service);
}
