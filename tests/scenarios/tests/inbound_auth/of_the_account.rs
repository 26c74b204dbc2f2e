//! An account's settings ask for more proof than the site's, and hold at once.

use test_support::Zone;

use crate::{STRANGER, Site, eml};

#[test]
fn settings_of_the_account_override_the_policys() {
    let site = Site::start(Zone::new(), "{}");
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    site.sink.take();
    let set = ["account", "set", "acme.desk.test", "inbound-auth"];
    let settings = r#"{ "mode": "enhanced", "enhanced-failure": "refuse" }"#;
    site.relay.json(&[&set[..], &[settings]].concat());
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 550);
    site.relay.json(&set);
    assert_eq!(site.direct(STRANGER, &eml("question")).code, 250);
    site.sink.take();
    site.ends();
}
