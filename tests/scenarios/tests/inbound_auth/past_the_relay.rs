//! Mail for a two-way domain that does not come through the customer's relay.

use crate::{STRANGER, Site, author, codes, eml};

#[test]
fn mail_past_the_relay_is_tagged_and_reported() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    let id = site.connect("two-way");
    assert_eq!(
        site.send(STRANGER, &["help@customer.test"], &eml("question"))
            .code,
        250
    );
    assert_eq!(site.tags(), "relay-missing, dmarc-fail");
    site.relay
        .logged("it did not come through the relay of its domain");

    // Disconnected, the domain goes on receiving, and nothing is missing.
    site.relay.json(&["connector", "disconnect", &id]);
    assert_eq!(
        site.send(STRANGER, &["help@customer.test"], &eml("question"))
            .code,
        250
    );
    assert_eq!(site.tags(), "dmarc-fail");
    site.ends();
}

#[test]
fn mail_past_the_relay_is_refused_if_set() {
    let (zone, _) = author("none");
    let site = Site::start(zone, r#"{ unauthenticated = "refuse" }"#);
    site.connect("two-way");
    let reply = site.send(STRANGER, &["help@customer.test"], &eml("question"));
    assert_eq!(codes(&reply), (550, "5.7.1"));
    // The native address beside it receives.
    let both = ["help@customer.test", "help@acme.desk.test"];
    assert_eq!(site.send(STRANGER, &both, &eml("question")).code, 250);
    assert_eq!(site.sink.take().to, ["help@acme.desk.test"]);
    site.ends();
}
