//! The server of an outbound-only customer forwards mail, so that SPF of the author's domain
//! fails.

use crate::{STRANGER, Signer, Site, author, codes, eml};

const TO: [&str; 1] = ["help@customer.test"];

#[test]
fn mail_from_a_known_forwarders_network_is_not_refused() {
    let (zone, signer) = author("reject");
    let site = Site::start(zone, "{}");
    let id = site.connect("outbound-only");
    let past = site.send(STRANGER, &TO, &eml("question"));
    assert_eq!(codes(&past), (550, "5.7.1"), "nobody is known to forward");
    let trace = site.relay.trace_until(&past.transaction(), "replied");
    insta::assert_snapshot!(trace, @"
    begun on mx from 203.0.113.77:0, plaintext
    sender <ann@author.example>: 250 2.1.0 Ok, transaction ID1
    judged inbound-auth DIGEST recipient: pass
    recipient <help@customer.test>: 250 2.1.5 Recipient OK
    authenticated spf=fail (author.example) dkim=none dmarc=fail (author.example) arc=none
        iprev=permerror
    judged inbound-auth DIGEST message: reject (DMARC fails, and author.example asks to
        reject)
    replied 550 5.7.1 DMARC fails, and the author's domain asks to reject (ID1) (187 B)
    ");

    let network = ["--network", "203.0.113.0/24"];
    (site.relay).json(&[&["connector", "forwarders", &id], &network[..]].concat());
    let known = site.send(STRANGER, &TO, &eml("question"));
    assert_eq!(known.code, 250);
    assert_eq!(site.tags(), "forwarded, dmarc-fail");
    let trace = site.relay.trace_until(&known.transaction(), "delivered");
    insta::assert_snapshot!(trace, @"
    begun on mx from 203.0.113.77:0, plaintext
    sender <ann@author.example>: 250 2.1.0 Ok, transaction ID1
    judged inbound-auth DIGEST recipient: pass
    recipient <help@customer.test>: 250 2.1.5 Recipient OK
    authenticated spf=fail (author.example) dkim=none dmarc=fail (author.example) arc=none
        iprev=permerror
    judged inbound-auth DIGEST message: pass (forwarded; nothing that proves the author has
        survived)
    queued for <help@customer.test>
    replied 250 2.6.0 Queued as ID1 (187 B)
    attempt 1 for <help@customer.test> at 127.0.0.1:PORT: delivered: 250 2.0.0 taken as N
    ");
    let signed = signer.signed(&eml("question"));
    assert_eq!(site.send(STRANGER, &TO, &signed).code, 250);
    assert_eq!(site.tags(), "forwarded");
    let elsewhere = site.send("192.0.2.9", &TO, &eml("question"));
    assert_eq!(codes(&elsewhere), (550, "5.7.1"));
    site.ends();
}

#[test]
fn a_signature_of_the_forwarder_makes_it_known() {
    let (mut zone, _) = author("reject");
    let forwarder = Signer::new("customer.test", &mut zone);
    let site = Site::start(zone, "{}");
    let id = site.connect("outbound-only");
    let domain = ["--dkim-domain", "customer.test"];
    (site.relay).json(&[&["connector", "forwarders", &id], &domain[..]].concat());
    let message = forwarder.signed(&eml("question"));
    assert_eq!(site.send(STRANGER, &TO, &message).code, 250);
    assert_eq!(site.tags(), "forwarded, dmarc-fail");
    // One who only says that it signed.
    let changed = String::from_utf8(message).unwrap();
    let changed = changed.replace("How do I", "How do you");
    assert_eq!(site.send(STRANGER, &TO, changed.as_bytes()).code, 550);
    site.ends();
}
