//! The use of a retired credential is told: in the audit log, by an event and in the log, and once an
//! hour however often it is used. A wrong secret is not.

use crate::{Credential, Site};

#[test]
fn a_retired_credential_that_is_used_is_told_of_once() {
    let site = Site::start();
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
    let notices = site.notices("credential");
    let told = notices.iter().filter(|text| text.contains("still used"));
    assert_eq!(told.count(), 1, "{notices:?}");
    site.relay.logged("is still used, and it was retired on");
    site.ends();
}
