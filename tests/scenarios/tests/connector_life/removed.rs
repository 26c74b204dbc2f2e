//! A removed credential is in no list any more, and its right secret is refused for now until its
//! grace period is over. It keeps neither its connector nor its account.

use crate::{NATIVE, SUPPORT, Site};

#[test]
fn a_removed_credential_is_asked_to_come_again() {
    let site = Site::start();
    let relay = &site.relay;
    let credential = site.inbound();
    assert_eq!(credential.answer(relay, "mx").0, 235);
    relay.json(&["credential", "remove", &credential.user]);
    assert!(relay.json(&["credential", "list"]).is_empty());
    assert_eq!(credential.answer(relay, "mx"), (454, "4.7.0".to_owned()));
    let said = relay.refuses(&["credential", "remove", &credential.user]);
    assert!(said.contains("there is no credential"), "{said}");

    for address in [SUPPORT, "sales@acme.test"] {
        relay.json(&["address", "remove", "--account", NATIVE, address]);
    }
    relay.json(&["connector", "remove", &site.connector]);
    assert_eq!(credential.answer(relay, "mx"), (535, "5.7.8".to_owned()));
    site.ends();
}
