//! A connection that was changed has to prove itself, though nobody asks for it.

use crate::{OPEN, Site, SmartHost};

/// Script of a smart host that knows the address of nobody.
const REFUSES: &str = "[[on]]\ncommand = 'MAIL'\nreply = '550 5.7.60 not as this sender'\n";

#[test]
fn an_address_is_verified_again_when_its_connection_is_changed() {
    let (site, first) = (Site::start("outbound-only"), SmartHost::start(OPEN));
    site.connection(&first.plain(), None);
    site.verify("--outbound");
    let probe = first.sink.take();
    site.deliver(&probe, &probe.bytes());
    assert_eq!(site.settled()["outbound"]["state"], "verified");

    let second = SmartHost::start(REFUSES);
    site.change_connection(&second.plain(), None);
    let known = site.relay.eventually("the new server has refused", |_| {
        let known = site.known();
        (known["outbound"]["state"] == "failed").then_some(known)
    });
    assert_eq!(known["outbound"]["reason"], "sender-not-allowed", "{known}");
    assert_eq!(known["way-out"]["from-default"], "refused", "{known}");
    assert!(first.sink.rest().is_empty());
    site.ends();
}
