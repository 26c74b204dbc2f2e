//! A new key signs nothing until its record is seen in the DNS; then every message has a signature
//! of each algorithm, and is otherwise octet for octet what it was.

use crate::{
    CUSTOMER, Customer, assert_signed, assert_unsigned, by_mx, publish, server, states, zone,
};
use test_support::DnsServer;

#[test]
fn nothing_is_signed_before_the_record_is_seen() {
    let (server, dns) = (server(""), DnsServer::start(zone()));
    let customer = Customer::on(by_mx(&dns, server.address().port()).start(), &[CUSTOMER]);
    let from = format!("help@{CUSTOMER}");
    let keys = customer.dkim(&["generate", CUSTOMER]);
    assert_eq!(states(&keys), ["pending", "pending"]);
    assert_eq!(
        states(&customer.dkim(&["check", CUSTOMER])),
        ["pending", "pending"]
    );
    customer.submit(&from);
    let unsigned = server.take();
    assert_unsigned(&unsigned);

    // A key that is not ours is no leave to sign, either.
    let other = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC";
    dns.zone()
        .txt("desk-rsa-1._domainkey.customer.example", other);
    let looked = customer.dkim(&["check", CUSTOMER]);
    assert_eq!(states(&looked), ["pending", "pending"]);
    let finding = |key: usize| looked[key]["finding"].as_str().unwrap().to_owned();
    assert_eq!(finding(1), "the record has another key");
    assert_eq!(finding(0), "there is no record");
    customer.submit(&from);
    assert_unsigned(&server.take());
    dns.zone().forget("desk-rsa-1._domainkey.customer.example");

    publish(&dns, &keys);
    assert_eq!(
        states(&customer.dkim(&["check", CUSTOMER])),
        ["active", "active"]
    );
    customer.submit(&from);
    let signed = server.take();
    assert_signed(&dns, &signed, CUSTOMER, 1);
    let text = signed.text();
    assert!(text.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"));
    assert!(!text.contains(" l="), "{text}");
    let after_trace = |text: &str| text.split_once("\r\nFrom: ").unwrap().1.to_owned();
    assert_eq!(after_trace(&text), after_trace(&unsigned.text()));
    customer.relay.leaves_nothing(server);
}
