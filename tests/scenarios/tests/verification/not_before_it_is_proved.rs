//! Nothing leaves through the smart host of a new connector before a probe has shown that it sends in
//! the address's name.

use crate::{ADDRESS, DEFAULT, NATIVE, OPEN, Site, SmartHost, assert_from};

#[test]
fn an_address_leaves_through_the_smart_host_once_a_probe_has_passed() {
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    (site.relay).json(&["account", "set-default-address", NATIVE, DEFAULT]);
    let made = (site.relay).json(&["credential", "add", "--submission", NATIVE]);
    // The domain asks to reject what its own servers do not send.
    site.submit(&made[0], ADDRESS);
    assert_from(&site.world.take(), DEFAULT);
    assert_eq!(site.known()["way-out"], "default-route");

    site.verify("--outbound");
    let probe = smart_host.sink.take();
    // It has not come back yet.
    site.submit(&made[0], ADDRESS);
    assert_from(&site.world.take(), DEFAULT);
    site.deliver(&probe, &probe.bytes());
    assert_eq!(site.settled()["outbound"]["state"], "verified");
    assert_eq!(site.known()["way-out"], "connection");
    site.submit(&made[0], ADDRESS);
    assert_from(&smart_host.sink.take(), ADDRESS);
    site.ends();
    assert!(smart_host.sink.rest().is_empty());
}
