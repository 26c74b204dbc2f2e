//! dkimpy: a signature passes, fails with another key, and is absent from an unsigned message.

use test_support::Zone;
use test_support::suites::dkimpy::{BAD_KEYS, Data, SIGNED, TEST, UNSIGNED};

use crate::{NOBODY, Site, word};

#[test]
fn a_signature_by_dkimpy_passes() {
    let Some(data) = Data::find() else { return };
    let site = Site::start(data.zone(str::to_owned));
    for (file, passing) in SIGNED {
        let judged = site.judged(&NOBODY, &data.message(file));
        assert_eq!(judged.dkim(), vec!["pass"; passing], "{file}: {judged:?}");
    }
    for file in UNSIGNED {
        let judged = site.judged(&NOBODY, &data.message(file));
        assert!(judged.dkim().is_empty(), "{file}: {judged:?}");
    }
    let judged = site.judged(&NOBODY, &data.message("test.message.baddomain"));
    assert_eq!(judged.dkim(), ["permerror"], "{judged:?}");
    site.ends();
}

#[test]
fn a_signature_with_a_bad_key_does_not_pass() {
    let Some(data) = Data::find() else { return };
    for (file, why) in BAD_KEYS {
        let mut zone = Zone::new();
        zone.txt(TEST, data.record(file));
        let site = Site::start(zone);
        let judged = site.judged(&NOBODY, &data.message("rfc6376.signed.rsa.msg"));
        assert!(!judged.dkim().contains(&"pass"), "{file}: {judged:?}");
        let reason = word(&judged.found["dkim"][0]["reason"]);
        assert_eq!(reason, why, "{file}");
        let written = format!("reason=\"{why}\"");
        assert!(judged.written.contains(&written), "{file}: {judged:?}");
        site.ends();
    }
}
