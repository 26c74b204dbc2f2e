//! Mail that would fail DMARC by MX leaves as the address that the sender's connection falls back to,
//! if the site says so, and is signed for that.

use crate::{CUSTOMER, Customer, assert_signed, attempt, by_mx, server, sign_for_site, zone};
use test_support::{DnsServer, Sink};

#[test]
fn mail_leaves_as_the_default_address() {
    let (server, mut zone) = (server(""), zone());
    zone.txt("_dmarc.customer.example", "v=DMARC1; p=reject");
    let (service, dns) = (Sink::start(), DnsServer::start(zone));
    let relay =
        by_mx(&dns, server.address().port()).replace("[mx]", "[mx]\nunaligned = \"send-as\"");
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    let id = customer.submit("help@customer.example");
    assert!(attempt(&customer.relay, &id).0.starts_with("550 5.7.26"));

    customer.connect(
        &service,
        "fall-back-as = 'acme@acme.desk.test'\nfall-back-after = '1h'\n",
    );
    sign_for_site(&customer.relay, "desk.test", &dns);
    let id = customer.submit("help@customer.example");
    let taken = server.take();
    // Reports come back to the native domain.
    assert!(
        taken.from.starts_with("b+") && taken.from.ends_with("@acme.desk.test"),
        "{}",
        taken.from
    );
    assert_eq!(
        taken.header("From").unwrap(),
        "\"Desk\" <acme@acme.desk.test>"
    );
    assert_signed(&dns, &taken, "desk.test", 1);
    attempt(&customer.relay, &id);
    assert!(service.rest().is_empty());
    customer.relay.leaves_nothing(server);
}
