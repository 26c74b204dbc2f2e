//! All domains of an account are disconnected at once, and connected again.

use crate::{NATIVE, Site};

#[test]
fn all_domains_of_an_account_are_disconnected_at_once() {
    let site = Site::start();
    let connector = ["connector", "add", "--kind", "two-way", "--account", NATIVE];
    let relay = &site.relay;
    for (domain, verified) in [("second.test", true), ("claimed.test", false)] {
        let made = relay.json(&[&connector[..], &["--domain", domain]].concat());
        if verified {
            relay.json(&["connector", "vouch", made[0]["id"].as_str().unwrap()]);
        }
    }
    let credential = site.inbound();
    let disconnect = ["connector", "disconnect", "--account", NATIVE];
    assert_eq!(relay.json(&disconnect).len(), 2);
    assert_eq!(credential.answer(relay, "mx").0, 454);
    let states = || {
        let listed = relay.json(&["connector", "list"]).into_iter();
        listed
            .map(|of| of["state"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(), ["disconnected", "disconnected", "claimed"]);
    let reconnect = ["connector", "reconnect", "--account", NATIVE];
    assert_eq!(relay.json(&reconnect).len(), 2);
    assert_eq!(states(), ["verified", "verified", "claimed"]);
    assert_eq!(credential.answer(relay, "mx").0, 235);
    site.ends();
}
