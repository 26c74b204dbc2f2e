//! A relay that is an exchange of the domain itself sends only to better ones, and to nobody if it
//! is the best.

use crate::{MESSAGE, assert_nothing_came, attempt, beside, relay, reply, server, submitted, zone};
use test_support::DnsServer;

#[test]
fn our_own_exchange_and_worse_ones_get_nothing() {
    let better = server("[[on]]\ncommand = 'CONNECT'\nreply = '421 4.3.2 later'\n");
    let worse = beside(&better, 4, "");
    let mut zone = zone(&[(10, 2), (30, 4)]);
    zone.mx("b.example", 20, "mx.desk.example");
    zone.a("mx.desk.example", [127, 0, 0, 4].into());
    let dns = DnsServer::start(zone);
    let relay = relay(&dns, better.address().port()).start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    let attempt = attempt(&relay, &id, 1);
    assert!(reply(&attempt).contains("later"), "{attempt}");
    assert!(attempt["ending"]["deferred"].is_object(), "{attempt}");
    assert_nothing_came(worse);
    assert_nothing_came(better);
}

#[test]
fn a_domain_whose_best_exchange_is_this_relay_is_a_loop() {
    let sender = server("");
    let mut zone = zone(&[(20, 4)]);
    zone.mx("b.example", 10, "mx.desk.example");
    zone.mx("sender.example", 10, "mx2.b.example");
    zone.a("mx2.b.example", [127, 0, 0, 2].into());
    let dns = DnsServer::start(zone);
    let relay = relay(&dns, sender.address().port()).start();
    let id = submitted(&relay, &["x@b.example"], MESSAGE);
    let attempt = attempt(&relay, &id, 1);
    assert!(reply(&attempt).starts_with("554 5.4.6 "), "{attempt}");
    assert_eq!(attempt["ending"], "failed");
    let bounce = sender.take();
    assert!(bounce.text().contains("Status: 5.4.6"), "{}", bounce.text());
    relay.leaves_nothing(sender);
}
