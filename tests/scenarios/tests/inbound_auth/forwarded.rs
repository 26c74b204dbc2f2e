//! Mail that the server of an outbound-only customer forwards: its author's SPF fails by nature.

use crate::{STRANGER, Signer, Site, author, codes, eml};

const TO: [&str; 1] = ["help@customer.test"];

#[test]
fn mail_from_a_known_forwarders_network_is_not_refused() {
    let (zone, signer) = author("reject");
    let site = Site::start(zone, "{}");
    let id = site.connect("outbound-only");
    let past = site.send(STRANGER, &TO, &eml("question"));
    assert_eq!(codes(&past), (550, "5.7.1"), "nobody is known to forward");

    let network = ["--network", "203.0.113.0/24"];
    (site.relay).json(&[&["connector", "forwarders", &id], &network[..]].concat());
    assert_eq!(site.send(STRANGER, &TO, &eml("question")).code, 250);
    assert_eq!(site.tags(), "forwarded, dmarc-fail");
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
