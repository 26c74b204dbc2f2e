//! Direct mail by default: the author's domain says what becomes of mail that it has not sent.

use test_support::zone::Fault;

use crate::{ITS_OWN, STRANGER, Site, author, codes, eml};

#[test]
fn reject_is_refused() {
    let (zone, _) = author("reject");
    let site = Site::start(zone, "{}");
    assert_eq!(
        codes(&site.direct(STRANGER, &eml("question"))),
        (550, "5.7.1")
    );
    site.ends();
}

#[test]
fn quarantine_is_kept_apart() {
    let (zone, _) = author("quarantine");
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.quarantined(), 1);
}

#[test]
fn none_is_taken_and_tagged() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.tags(), "dmarc-fail");
    site.ends();
}

#[test]
fn its_own_server_and_its_signature_are_enough() {
    let (zone, signer) = author("reject");
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(ITS_OWN, &eml("question")).code, 250);
    assert_eq!(site.tags(), "");
    let signed = signer.signed(&eml("question"));
    assert_eq!(site.direct(STRANGER, &signed).code, 250);
    assert_eq!(site.tags(), "");
    site.ends();
}

#[test]
fn who_publishes_nothing_is_taken() {
    let site = Site::start(test_support::Zone::new(), "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.tags(), "");
    site.ends();
}

#[test]
fn a_dns_that_fails_is_no_refusal() {
    let (mut zone, _) = author("reject");
    zone.fault("_dmarc.author.example", Fault::ServFail);
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.tags(), "dmarc-temperror");
    site.ends();
}
