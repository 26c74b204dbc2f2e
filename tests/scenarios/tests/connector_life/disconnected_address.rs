//! One address is disconnected, and the others in its domain are as before: credentials do not vouch
//! for it, and its mail leaves from the default address.

use crate::{DEFAULT, LOGIN, NATIVE, SUPPORT, Site, SmartHost};

#[test]
fn an_address_is_disconnected_alone() {
    let site = Site::start();
    site.has_default_address();
    let smart_host = SmartHost::start(LOGIN);
    smart_host.connect(&site, "outlook", "@acme.test");
    let own = site.submission();
    let other = "sales@acme.test";
    let disconnect = ["connector", "disconnect", &site.connector, "--address"];
    let said = site.relay.refuses(&[&disconnect[..], &[DEFAULT]].concat());
    assert!(said.contains("there is no address"), "{said}");
    let switched = site
        .relay
        .json(&[&disconnect[..], &[SUPPORT]].concat())
        .remove(0);
    assert_eq!(switched["sender"], SUPPORT);
    assert_eq!(switched["state"], "disconnected");

    assert_eq!(site.submit(&own, SUPPORT, "x@elsewhere.example").code, 250);
    assert_eq!(site.world.take().from, DEFAULT);
    assert_eq!(site.submit(&own, other, "y@elsewhere.example").code, 250);
    assert_eq!(smart_host.sink.take().from, other);
    // The credential of the domain still works for the others.
    let credential = site.inbound();
    assert_eq!(credential.answer(&site.relay, "mx").0, 235);

    let reconnect = [
        "connector",
        "reconnect",
        &site.connector,
        "--address",
        SUPPORT,
    ];
    site.relay.json(&reconnect);
    assert_eq!(site.submit(&own, SUPPORT, "z@elsewhere.example").code, 250);
    assert_eq!(smart_host.sink.take().from, SUPPORT);
    let entry = site.audited("connector-disconnect").remove(0);
    assert_eq!(entry["subject"], SUPPORT);
    let accounts = site.relay.json(&["account", "show", NATIVE]);
    assert_eq!(entry["account"], accounts[0]["id"]);
    site.ends();
    assert!(smart_host.sink.rest().is_empty());
}
