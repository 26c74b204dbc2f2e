//! The use of a retired credential is told: in the audit log, by an event and in the log, and once a
//! day however often it is used, also after a restart. Each use is counted. A wrong secret is not.

use crate::{Credential, Site};

#[test]
fn a_retired_credential_that_is_used_is_told_of_once() {
    let mut site = Site::start();
    let credential = site.inbound();
    (site.relay).json(&["credential", "retire", &credential.user, "--force"]);
    let wrong = Credential {
        user: credential.user.clone(),
        secret: "wrong".to_owned(),
    };
    assert_eq!(wrong.answer(&site.relay, "mx").0, 535);
    assert!(site.audited("credential-used-after-its-end").is_empty());
    for _ in 0..3 {
        assert_eq!(credential.answer(&site.relay, "mx").0, 454);
    }
    let entry = site.relay.eventually("it is in the audit log", |_| {
        site.audited("credential-used-after-its-end").pop()
    });
    assert_eq!(entry["subject"], credential.user.as_str());
    assert_eq!(entry["actor"], credential.user.as_str());
    assert_eq!(entry["origin"], "127.0.0.1");
    assert_eq!(site.audited("credential-used-after-its-end").len(), 1);
    let told = |site: &Site| {
        let notices = site.notices("credential").into_iter();
        notices.filter(|text| text.contains("still used")).count()
    };
    // The event comes after the entry.
    site.relay
        .eventually("an event tells of it", |_| (told(&site) > 0).then_some(()));
    assert_eq!(told(&site), 1);
    site.relay.logged("is still used, and it was retired on");
    let uses = |site: &Site| {
        let shown = site.relay.json(&["credential", "show", &credential.user]);
        let uses = shown[0]["grace-uses"].clone();
        assert_eq!(uses["network"], "127.0.0.1/32", "{shown:?}");
        uses["count"].clone()
    };
    assert_eq!(uses(&site), 3);
    site.relay.terminate();
    site.relay.restart();
    assert_eq!(credential.answer(&site.relay, "mx").0, 454);
    assert_eq!(uses(&site), 4);
    let list = site.relay.command(&["credential", "list"]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("and used 4 times since, last "), "{list}");
    assert_eq!(site.audited("credential-used-after-its-end").len(), 1);
    site.ends();
}
