//! What cannot be verified, and what a connector lacks.

use crate::{ADDRESS, NATIVE, Site};

#[test]
fn only_addresses_of_a_vouched_domain_are_verified() {
    let site = Site::start("outbound-only");
    let native = "help@acme.desk.test";
    let said = site.relay.refuses(&["connector", "verify", native]);
    assert!(
        said.contains("no connected domain that is vouched for"),
        "{said}"
    );
    let said = site
        .relay
        .refuses(&["connector", "verify", ADDRESS, "--outbound"]);
    assert!(
        said.contains("no connection serves help@customer.test"),
        "{said}"
    );
    let said = site
        .relay
        .refuses(&["connector", "verify", "who@customer.test"]);
    assert!(said.contains("who@customer.test"), "{said}");
    site.relay
        .json(&["connector", "disconnect", &site.connector]);
    let said = site.relay.refuses(&["connector", "verify", ADDRESS]);
    assert!(
        said.contains("no connected domain that is vouched for"),
        "{said}"
    );
    site.ends();
}

#[test]
fn a_domain_without_addresses_says_what_it_lacks() {
    let site = Site::start("outbound-only");
    let claim = [
        "--domain",
        "other.test",
        "--kind",
        "two-way",
        "--account",
        NATIVE,
    ];
    let made = site
        .relay
        .json(&[&["connector", "add"], &claim[..]].concat());
    let other = made[0]["id"].as_str().unwrap();
    let shown = site.relay.json(&["connector", "show", other]).remove(0);
    assert_eq!(
        shown["missing"],
        "add at least one support address to finish"
    );
    let shown = site.relay.command(&["connector", "show", other]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("add at least one support address to finish"),
        "{shown}"
    );
    let shown = site
        .relay
        .json(&["connector", "show", &site.connector])
        .remove(0);
    assert!(shown.get("missing").is_none(), "{shown}");
    site.ends();
}
