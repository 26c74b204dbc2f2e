//! The server with the lowest preference gets the mail, whichever record comes first.

use crate::{MESSAGE, assert_nothing_came, beside, relay, server, submitted, zone};
use test_support::DnsServer;

#[test]
fn the_best_preference_gets_the_mail() {
    let other = server("");
    let best = beside(&other, 3, "");
    let dns = DnsServer::start(zone(&[(20, 2), (10, 3)]));
    let relay = relay(&dns, other.address().port()).start();
    for _ in 0..3 {
        submitted(&relay, &["x@b.example"], MESSAGE);
        let taken = best.take();
        assert_eq!(
            (taken.from.as_str(), &*taken.to),
            ("ann@sender.example", &["x@b.example".to_owned()][..])
        );
        assert!(
            taken.text().ends_with("\r\n\r\nHello!\r\n"),
            "{}",
            taken.text()
        );
    }
    assert_nothing_came(other);
    relay.leaves_nothing(best);
}
