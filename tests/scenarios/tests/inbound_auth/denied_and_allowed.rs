//! The lists `deny` and `allow` refuse mail and let it through, by network, domain and address.

use crate::{ITS_OWN, STRANGER, Site, author, codes, eml};

#[test]
fn denied_clients_and_authors_are_refused() {
    for denied in [
        r#"networks = ["198.51.100.0/24"]"#,
        r#"domains = ["author.example"]"#,
        r#"addresses = ["ann@author.example"]"#,
    ] {
        let (zone, _) = author("none");
        let site = Site::start(zone, &format!("{{ deny = {{ {denied} }} }}"));
        let reply = site.direct(ITS_OWN, &eml("question"));
        assert_eq!(codes(&reply), (550, "5.7.1"), "{denied}");
        site.ends();
    }
}

#[test]
fn allowed_networks_pass_in_spite_of_dmarc() {
    let (zone, _) = author("reject");
    let site = Site::start(zone, r#"{ allow = { networks = ["203.0.113.0/24"] } }"#);
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.tags(), "allowed");
    assert_eq!(site.direct("192.0.2.4", &eml("question")).code, 550);
    site.ends();
}
