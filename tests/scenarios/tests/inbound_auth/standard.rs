//! Mode `standard`: the DMARC policy of the author's domain decides on direct mail that fails.

use test_support::zone::Fault;

use crate::{ITS_OWN, STRANGER, Site, author, codes, eml};

#[test]
fn mail_that_fails_p_reject_is_refused() {
    let (zone, _) = author("reject");
    let site = Site::start(zone, "{}");
    let reply = site.direct(STRANGER, &eml("question"));
    assert_eq!(codes(&reply), (550, "5.7.1"));
    let trace = site.relay.trace_until(&reply.transaction(), "replied");
    insta::assert_snapshot!(trace, @"
    begun on mx from 203.0.113.77:0, plaintext
    sender <ann@author.example>: 250 2.1.0 Ok, transaction ID1
    judged inbound-auth DIGEST recipient: pass
    recipient <help@acme.desk.test>: 250 2.1.5 Recipient OK
    authenticated spf=fail (author.example) dkim=none dmarc=fail (author.example) arc=none
        iprev=permerror
    judged inbound-auth DIGEST message: reject (DMARC fails, and author.example asks to
        reject)
    replied 550 5.7.1 DMARC fails, and the author's domain asks to reject (ID1) (187 B)
    ");
    site.ends();
}

#[test]
fn mail_that_fails_p_quarantine_is_quarantined() {
    let (zone, _) = author("quarantine");
    let site = Site::start(zone, "{}");
    let reply = site.direct(STRANGER, &eml("question"));
    assert_eq!(reply.code, 250);
    assert_eq!(site.quarantined(), 1);
    let trace = site.relay.trace_until(&reply.transaction(), "replied");
    insta::assert_snapshot!(trace, @"
    begun on mx from 203.0.113.77:0, plaintext
    sender <ann@author.example>: 250 2.1.0 Ok, transaction ID1
    judged inbound-auth DIGEST recipient: pass
    recipient <help@acme.desk.test>: 250 2.1.5 Recipient OK
    authenticated spf=fail (author.example) dkim=none dmarc=fail (author.example) arc=none
        iprev=permerror
    judged inbound-auth DIGEST message: quarantine (DMARC fails, and author.example asks to
        quarantine)
    quarantined until TIME: DMARC fails, and author.example asks to quarantine
    replied 250 2.6.0 Queued as ID1 (187 B)
    ");
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
