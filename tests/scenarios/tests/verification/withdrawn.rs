//! The operator takes the word for a way out back.

use crate::{ADDRESS, DEFAULT, NATIVE, OPEN, Site, SmartHost, assert_from};

#[test]
fn an_address_leaves_through_the_smart_host_no_more_when_the_word_for_it_is_withdrawn() {
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    (site.relay).json(&["account", "set-default-address", NATIVE, DEFAULT]);
    let made = (site.relay).json(&["credential", "add", "--submission", NATIVE]);
    let vouch = |word: &str| {
        site.relay
            .json(&["connector", "vouch", &site.connector, word])
    };

    vouch("--outbound");
    site.submit(&made[0], ADDRESS);
    assert_from(&smart_host.sink.take(), ADDRESS);

    vouch("--withdraw-outbound");
    assert_eq!(site.known()["way-out"], "default-route");
    site.submit(&made[0], ADDRESS);
    assert_from(&site.world.take(), DEFAULT);
    let told = site.relay.json(&["audit", "--limit", "1"]).remove(0);
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.ends_with("withdraw-outbound yes"), "{detail}");
    site.ends();
    assert!(smart_host.sink.rest().is_empty());
}
