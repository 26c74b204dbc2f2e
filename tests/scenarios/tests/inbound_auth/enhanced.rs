//! Mode `enhanced`: direct mail must be proved to come from its author's domain, whatever the
//! domain's DMARC policy.

use test_support::Zone;
use test_support::zone::Fault;

use crate::{ITS_OWN, STRANGER, Site, author, codes, eml};

const REFUSE: &str = r#"{ mode = "enhanced", enhanced-failure = "refuse" }"#;

#[test]
fn unproved_mail_is_quarantined_or_refused() {
    let site = Site::start(Zone::new(), r#"{ mode = "enhanced" }"#);
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    assert_eq!(site.quarantined(), 1);

    let site = Site::start(Zone::new(), REFUSE);
    assert_eq!(
        codes(&site.direct(STRANGER, &eml("question"))),
        (550, "5.7.1")
    );
    site.ends();
}

#[test]
fn an_aligned_pass_is_enough_without_a_dmarc_record() {
    let (mut zone, signer) = author("none");
    zone.forget("_dmarc.author.example");
    let site = Site::start(zone, REFUSE);
    assert_eq!(site.direct(ITS_OWN, &eml("question")).code, 250);
    site.sink.take();
    assert_eq!(
        site.direct(STRANGER, &signer.signed(&eml("question"))).code,
        250
    );
    site.sink.take();
    site.ends();
}

#[test]
fn from_without_one_plain_author_is_refused() {
    let (zone, signer) = author("reject");
    let site = Site::start(zone, REFUSE);
    for (odd, code) in [
        // In either mode: there is no author who could be told.
        ("no-address", "5.6.0"),
        ("two-authors", "5.7.1"),
        ("hidden-address", "5.7.1"),
    ] {
        let reply = site.direct(ITS_OWN, &signer.signed(&eml(odd)));
        assert_eq!(codes(&reply), (550, code), "{odd}: {reply:?}");
    }
    site.ends();
}

#[test]
fn a_failing_dns_defers_unproved_mail() {
    let (mut zone, _) = author("reject");
    zone.fault("_dmarc.author.example", Fault::ServFail);
    zone.fault("author.example", Fault::ServFail);
    let site = Site::start(zone, REFUSE);
    assert_eq!(
        codes(&site.direct(STRANGER, &eml("question"))),
        (451, "4.7.1")
    );
    site.ends();
}
