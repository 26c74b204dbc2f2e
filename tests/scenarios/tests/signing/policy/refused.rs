//! Mail of a domain whose policy (DMARC) has receivers refuse what neither SPF nor DKIM proves does
//! not leave by MX unproved: it is refused, with the reason. Without such a policy, with a key or
//! with a permission in SPF, it leaves; and so it does where the site says so.

use crate::{CUSTOMER, Customer, assert_signed, attempt, by_mx, server, zone};
use test_support::DnsServer;

#[test]
fn mail_that_would_fail_dmarc_is_refused() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let port = server.address().port();
    let relay = by_mx(&dns, port);
    let customer = Customer::on(relay.clone().start(), &[CUSTOMER]);
    let set = |name: &str, text: &str| {
        dns.zone().forget(name).txt(name, text);
        // What the relay has in its cache is of before.
        customer
            .relay
            .reloads(&relay.clone().replace("attempts = 1", "attempts = 2"));
        customer.relay.reloads(&relay);
    };
    let leaves = || {
        let id = customer.submit("help@customer.example");
        assert_eq!(server.take().to, ["x@b.example"]);
        attempt(&customer.relay, &id);
    };
    let dmarc = "_dmarc.customer.example";
    set(dmarc, "v=DMARC1; p=none");
    leaves();
    for policy in ["reject", "quarantine"] {
        set(dmarc, &format!("v=DMARC1; p={policy}"));
        let id = customer.submit("help@customer.example");
        let (reply, ending) = attempt(&customer.relay, &id);
        assert!(
            reply.starts_with("550 5.7.26 not sent by MX: customer.example"),
            "{reply}"
        );
        assert_eq!(ending, "failed", "{reply}");
    }
    // A record of another server's is no permission, one of ours is.
    set(CUSTOMER, "v=spf1 ip4:198.51.100.7 -all");
    let id = customer.submit("help@customer.example");
    assert!(attempt(&customer.relay, &id).0.starts_with("550 5.7.26"));
    set(CUSTOMER, "v=spf1 ip4:203.0.113.9 -all");
    leaves();
    // A reverse-path of another domain proves nothing about the author, whatever SPF says.
    set(CUSTOMER, "v=spf1 -all");
    customer.sign_for(CUSTOMER, &dns);
    customer.submit("help@customer.example");
    assert_signed(&dns, &server.take(), CUSTOMER, 1);
    customer.relay.leaves_nothing(server);
}

#[test]
fn a_site_may_send_it_nevertheless() {
    let (server, mut zone) = (server(""), zone());
    zone.txt("_dmarc.customer.example", "v=DMARC1; p=reject");
    let dns = DnsServer::start(zone);
    let relay = by_mx(&dns, server.address().port()).replace("[mx]", "[mx]\nunaligned = \"send\"");
    let customer = Customer::on(relay.start(), &[CUSTOMER]);
    customer.submit("help@customer.example");
    assert_eq!(server.take().to, ["x@b.example"]);
    customer.relay.leaves_nothing(server);
}
