//! A domain with the null MX takes no mail (RFC 7505): the message fails at once, and its sender is
//! told.

use crate::{MESSAGE, attempt, relay, reply, server, submitted, zone};
use test_support::DnsServer;

#[test]
fn mail_for_a_domain_with_null_mx_comes_back_at_once() {
    let server = server("");
    let mut zone = zone(&[]);
    zone.mx("nomail.example", 0, "");
    // Its address is no server (section 3).
    zone.a("nomail.example", [127, 0, 0, 2].into());
    zone.mx("sender.example", 10, "mx.sender.example");
    zone.a("mx.sender.example", [127, 0, 0, 2].into());
    let dns = DnsServer::start(zone);
    let relay = relay(&dns, server.address().port()).start();
    let id = submitted(&relay, &["x@nomail.example"], MESSAGE);
    let attempt = attempt(&relay, &id, 1);
    assert_eq!(attempt["ending"], "failed");
    assert!(reply(&attempt).starts_with("556 5.1.10 "), "{attempt}");
    let bounce = server.take();
    assert_eq!(
        (bounce.from.as_str(), &*bounce.to),
        ("", &["ann@sender.example".to_owned()][..])
    );
    let text = bounce.text();
    for field in [
        "Final-Recipient: rfc822; x@nomail.example",
        "Action: failed",
        "Status: 5.1.10",
    ] {
        assert!(text.contains(field), "{field} is not in {text}");
    }
    relay.leaves_nothing(server);
}
