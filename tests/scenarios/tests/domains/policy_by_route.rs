//! What an outsider makes of mail by each way, from the policy of the domain: refused, put into
//! quarantine, or taken.

use crate::{CUSTOMER, NATIVE, Site, zone};

/// Default address of the account.
const DEFAULT: &str = "help@acme.desk.example";

fn outside(policy: &str) -> (String, i32) {
    let mut zone = zone();
    zone.txt(CUSTOMER, "v=spf1 mx -all");
    if !policy.is_empty() {
        zone.txt("_dmarc.customer.example", policy);
    }
    let site = Site::start(zone, "outbound-only").vouched();
    let outside = site.check().outside();
    let waits =
        "mail that cannot leave in the domain's name waits: the account has no default address";
    assert!(outside.contains(waits), "{outside}");
    for command in [
        &["address", "add", "--account", NATIVE, DEFAULT][..],
        &["account", "set-default-address", NATIVE, DEFAULT],
    ] {
        site.relay.json(command);
    }
    let checked = site.check();
    (checked.outside(), checked.code)
}

#[test]
fn each_policy_has_its_consequence() {
    for (policy, said) in [
        (
            "v=DMARC1; p=reject",
            "fails DMARC, and the domain asks receivers to refuse it",
        ),
        (
            "v=DMARC1; p=quarantine",
            "fails DMARC, and the domain asks receivers to put it into quarantine",
        ),
        (
            "v=DMARC1; p=reject; t=y",
            "fails DMARC, and the domain asks receivers to put it into quarantine",
        ),
        (
            "v=DMARC1; p=none",
            "fails DMARC, and the domain asks receivers to take it all the same",
        ),
        ("", "meets no DMARC policy, and nothing proves its domain"),
    ] {
        let (outside, code) = outside(policy);
        assert!(
            outside.contains(&format!("mail from our servers {said}\n")),
            "{policy}: {outside}"
        );
        assert!(outside.contains("spf: fail: SPF of customer.example: fail for 203.0.113.9"));
        // The default address is of the site, which proves it.
        let default = "mail from the default address, at acme.desk.example, meets no DMARC policy; \
                       SPF of acme.desk.example proves it\n";
        assert!(outside.contains(default), "{outside}");
        assert_eq!(code, 1);
    }
}

#[test]
fn policies_that_are_void_are_named() {
    let said = |records: &[&str]| {
        let mut zone = zone();
        for record in records {
            zone.txt("_dmarc.customer.example", record);
        }
        Site::start(zone, "outbound-only")
            .vouched()
            .check()
            .one("dmarc")
    };
    let several = said(&["v=DMARC1; p=none", "v=DMARC1; p=reject"]);
    assert!(
        several.starts_with("advice: differs: the author's domain publishes several"),
        "{several}"
    );
    let void = said(&["v=DMARC1; p=rejekt"]);
    assert!(
        void.starts_with("advice: differs: the DMARC record has no valid policy"),
        "{void}"
    );
    assert!(said(&[]).starts_with("advice: missing: there is no DMARC record"));
    assert_eq!(
        said(&["v=DMARC1; p=none"]),
        "advice: right: the policy for mail that nothing proves: none"
    );
}
