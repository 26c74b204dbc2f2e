//! Direct mail by default: the author's domain says what becomes of mail that it has not sent.

use test_support::zone::Fault;

use crate::{ITS_OWN, STRANGER, Site, author, codes, eml};

#[test]
fn mail_that_fails_p_reject_is_refused() {
    let (zone, _) = author("reject");
    let site = Site::start(zone, "{}");
    assert_eq!(
        codes(&site.direct(STRANGER, &eml("question"))),
        (550, "5.7.1")
    );
    site.ends();
}

#[test]
fn mail_that_fails_p_quarantine_is_quarantined() {
    let (zone, _) = author("quarantine");
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.quarantined(), 1);
}

#[test]
fn mail_that_fails_p_none_is_accepted_and_tagged() {
    let (zone, _) = author("none");
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.tags(), "dmarc-fail");
    site.ends();
}

#[test]
fn spf_or_dkim_of_the_author_is_enough() {
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
fn mail_of_a_domain_without_records_is_accepted() {
    let site = Site::start(test_support::Zone::new(), "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.tags(), "");
    site.ends();
}

#[test]
fn a_failing_dns_refuses_no_mail() {
    let (mut zone, _) = author("reject");
    zone.fault("_dmarc.author.example", Fault::ServFail);
    let site = Site::start(zone, "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.tags(), "dmarc-temperror");
    site.ends();
}
