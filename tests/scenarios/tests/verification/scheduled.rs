//! The schedule: addresses are verified again, unless live mail proves the same.

use crate::{ADDRESS, Site};

#[test]
fn an_address_is_verified_again_on_the_schedule() {
    let site = Site::with("two-way", "", "[verification]\nevery = \"2s\"\n");
    site.verify("--inbound");
    site.relay_in(&site.connector, ADDRESS, &site.world.take().bytes());
    assert_eq!(site.settled()["inbound"]["state"], "verified");
    // Nobody asked for this one.
    let again = site.world.take();
    assert_eq!(again.to, [ADDRESS]);
    assert_eq!(site.known()["inbound"]["state"], "verified");
    site.relay_in(&site.connector, ADDRESS, &again.bytes());
    let known = site.settled();
    assert_eq!(known["inbound"]["state"], "verified", "{known}");
    let told = site.relay.json(&["events", "--kind", "notice"]);
    assert_eq!(told.len(), 1, "only what is news is told: {told:?}");
}

/// Mail that a known forwarder hands in to the forwarding target proves that mail comes in.
#[test]
fn forwarded_mail_proves_that_mail_comes_in() {
    let site = Site::with("forwarded", "", "[verification]\nevery = \"1s\"\n");
    let target = site.known()["forwarding-target"].clone();
    let target = target.as_str().unwrap();
    site.verify("--inbound");
    site.forward(target, &site.world.take().bytes());
    let verified = |site: &Site| {
        let inbound = site.known()["inbound"].take();
        assert_eq!(inbound["state"], "verified", "{inbound}");
        inbound["at"].as_u64().unwrap()
    };
    let at = verified(&site);
    let message = b"From: <ann@author.test>\r\nSubject: question\r\n\r\nHow?\r\n";
    // No probe comes back any more.
    site.relay.eventually("live mail proves it again", |_| {
        assert_eq!(site.forward(target, message).code, 250);
        (verified(&site) > at).then_some(())
    });
}
