//! Every change that an operator makes is in the audit log, with who made it, from where and to what,
//! by a running relay as on its store. No secret is in it.

use crate::{Credential, DEFAULT, NATIVE, Site};

#[test]
fn changes_are_in_the_audit_log() {
    let mut site = Site::start();
    let id = site.relay.json(&["account", "show", NATIVE])[0]["id"].clone();
    let entries = site.relay.json(&["audit"]);
    let told: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| [&entry["action"], &entry["subject"]].map(|text| text.as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["account-add", NATIVE],
            ["connector-add", "acme.test"],
            ["connector-vouch", "acme.test"],
            ["address-add", DEFAULT],
            ["address-add", "help@acme.test"],
            ["address-add", "sales@acme.test"],
        ]
    );
    for entry in &entries {
        assert_eq!(entry["account"], id, "{entry}");
        assert_eq!(entry["origin"], "socket", "{entry}");
        let actor = entry["actor"].as_str().unwrap();
        assert!(!actor.is_empty() && actor != "gatepost", "{entry}");
    }

    let issued = site
        .relay
        .json(&["credential", "add", "--submission", NATIVE]);
    let credential = Credential::of(&issued[0]);
    // What only reads, and what is refused, is not in it.
    site.relay.json(&["account", "list"]);
    site.relay.refuses(&["account", "remove", NATIVE]);
    site.relay.terminate();
    site.relay.json(&["credential", "remove", &credential.user]);
    let newest = site.relay.json(&["audit", "--limit", "2"]);
    let told = newest
        .iter()
        .map(|entry| [&entry["action"], &entry["subject"], &entry["origin"]]);
    let told: Vec<_> = told
        .map(|texts| texts.map(|text| text.as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["credential-remove", &credential.user, "store"],
            ["credential-add-submission", &credential.user, "socket"],
        ]
    );
    assert!(
        newest.iter().all(|entry| entry["account"] == id),
        "{newest:?}"
    );
    assert!(!format!("{newest:?}").contains(&credential.secret));
    // Pages, and the entries of another account.
    let before = newest[1]["seq"].to_string();
    assert_eq!(site.relay.json(&["audit", "--before", &before]).len(), 6);
    assert_eq!(site.relay.json(&["audit", "--account", NATIVE]).len(), 8);
    assert!(
        site.relay
            .json(&["audit", "--account", "nobody.test"])
            .is_empty()
    );
    site.relay.restart();
    site.ends();
}

#[test]
fn old_entries_leave_the_audit_log() {
    let mut site = Site::with("[directory]\naudit-retention = \"0s\"\n");
    assert!(!site.relay.json(&["audit"]).is_empty());
    site.relay.restart();
    site.relay.eventually("they are gone", |relay| {
        relay.json(&["audit"]).is_empty().then_some(())
    });
    site.ends();
}
