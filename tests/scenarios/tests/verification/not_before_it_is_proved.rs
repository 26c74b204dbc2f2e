//! Nothing leaves through the smart host of a new connector before a probe has shown that it sends in
//! the address's name.

use serde_json::Value;
use test_support::Taken;

use crate::{ADDRESS, NATIVE, OPEN, Site, SmartHost};

const DEFAULT: &str = "help@acme.desk.test";

/// Submits a message in the name of the customer's address.
fn submit(site: &Site, credential: &Value) {
    let text = |key: &str| credential[key].as_str().unwrap();
    let client = site.relay.client("submission");
    let mut client = client.authenticated(text("user-name"), text("secret"));
    let message = format!("From: Desk <{ADDRESS}>\r\nSubject: answer\r\n\r\nHello!\r\n");
    let reply = client.deliver(ADDRESS, &["ann@elsewhere.test"], message.as_bytes());
    assert_eq!(reply.unwrap().code, 250);
}

fn assert_from(taken: &Taken, address: &str) {
    let from = taken.header("From").unwrap();
    assert!(from.contains(&format!("<{address}>")), "{from}");
}

#[test]
fn an_address_leaves_through_the_smart_host_once_a_probe_has_passed() {
    let (site, smart_host) = (Site::start("outbound-only"), SmartHost::start(OPEN));
    site.connection(&smart_host.plain(), None);
    (site.relay).json(&["account", "set-default-address", NATIVE, DEFAULT]);
    let made = (site.relay).json(&["credential", "add", "--submission", NATIVE]);
    // The domain asks to reject what its own servers do not send.
    submit(&site, &made[0]);
    assert_from(&site.world.take(), DEFAULT);
    assert_eq!(site.known()["way-out"], "default-route");

    site.verify("--outbound");
    let probe = smart_host.sink.take();
    // It has not come back yet.
    submit(&site, &made[0]);
    assert_from(&site.world.take(), DEFAULT);
    site.deliver(&probe, &probe.bytes());
    assert_eq!(site.settled()["outbound"]["state"], "verified");
    assert_eq!(site.known()["way-out"], "connection");
    submit(&site, &made[0]);
    assert_from(&smart_host.sink.take(), ADDRESS);
    site.ends();
    assert!(smart_host.sink.rest().is_empty());
}
