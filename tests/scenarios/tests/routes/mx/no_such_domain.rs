//! A domain that does not exist fails at once, and the sender is told.

use crate::{MESSAGE, attempt, relay, reply, server, submitted, zone};
use test_support::DnsServer;

#[test]
fn mail_for_a_domain_that_does_not_exist_comes_back_at_once() {
    let server = server("");
    let mut zone = zone(&[]);
    zone.mx("sender.example", 10, "mx.sender.example");
    zone.a("mx.sender.example", [127, 0, 0, 2].into());
    let dns = DnsServer::start(zone);
    let relay = relay(&dns, server.address().port()).start();
    let id = submitted(&relay, &["x@nowhere.test"], MESSAGE);
    let attempt = attempt(&relay, &id, 1);
    assert_eq!(attempt["ending"], "failed");
    assert!(reply(&attempt).starts_with("550 5.1.2 "), "{attempt}");
    let bounce = server.take();
    assert_eq!(
        (bounce.from.as_str(), &*bounce.to),
        ("", &["ann@sender.example".to_owned()][..])
    );
    assert!(bounce.text().contains("Status: 5.1.2"), "{}", bounce.text());
    relay.leaves_nothing(server);
}
