//! Too many failed log-ins with a credential alert the administrators of its account, once.

use crate::{NATIVE, Site, alerts};

#[test]
fn a_credential_that_is_locked_out_is_told_of_once() {
    let site = Site::start(&[]);
    alerts::administrator(&site, "ann@user.test", "en");
    let user = &site.login.0;
    let mut codes = Vec::new();
    for _ in 0..40 {
        let mut client = site.relay.client("submission");
        client.ehlo();
        client.starttls();
        codes.push(client.plain(user, "gpst_wrong").code);
    }
    assert!(
        codes.iter().filter(|code| **code == 454).count() > 1,
        "{codes:?}"
    );
    let letter = site.world.take();
    assert_eq!(letter.to, ["ann@user.test"]);
    let subject = letter.header("Subject").unwrap();
    assert!(
        subject.contains("Too many failed log-ins") && subject.contains(user),
        "{subject}"
    );
    assert!(letter.text().contains("127.0.0.1"), "{}", letter.text());
    let audited = site.relay.json(&["audit", "--account", NATIVE]);
    let locked = audited
        .iter()
        .filter(|entry| entry["action"] == "credential-locked-out");
    assert_eq!(locked.count(), 1, "{audited:?}");
    site.ends();
}
