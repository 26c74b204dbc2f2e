//! A domain without MX records is its own server (RFC 5321 section 5.1); one with records is not.

use crate::{MESSAGE, relay, server, submitted, waits, zone};
use test_support::{DnsServer, Zone};

#[test]
fn a_domain_without_mx_is_its_own_server() {
    let server = server("");
    let mut zone = Zone::new();
    zone.a("b.example", [127, 0, 0, 2].into());
    let dns = DnsServer::start(zone);
    let relay = relay(&dns, server.address().port()).start();
    submitted(&relay, &["x@b.example"], MESSAGE);
    assert_eq!(server.take().to, ["x@b.example"]);
    relay.leaves_nothing(server);
}

#[test]
fn a_domain_whose_exchange_is_down_is_not_its_own_server() {
    let itself = server("");
    let mut zone = zone(&[(10, 77)]);
    zone.a("b.example", [127, 0, 0, 2].into());
    let dns = DnsServer::start(zone);
    let relay = relay(&dns, itself.address().port()).start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    waits(&relay, &id, "451 4.4.1 ");
    assert!(itself.rest().is_empty());
}
