//! The password of several connections is changed in one go. If one server refuses the new one, none is
//! changed, and the reply is told.

use std::fs;

use crate::{LOGIN, NATIVE, Site, SmartHost};

#[test]
fn a_password_is_tried_before_it_holds() {
    let site = Site::start();
    let former = "hush-of-the-desk";
    let taking = SmartHost::start(&LOGIN.replace(former, "new-hush"));
    let refusing = SmartHost::start(LOGIN);
    taking.connect(&site, "one", "help@acme.test");
    refusing.connect(&site, "two", "sales@acme.test");
    let file = site.relay.directory().join("new");
    fs::write(&file, "new-hush").unwrap();
    let set = |names: &[&str]| {
        let set = ["connection", "set-credential", "--account", NATIVE];
        let file = ["--password-file", file.to_str().unwrap(), "--json"];
        let output = site.relay.command(&[&set[..], &file, names].concat());
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let (done, said) = set(&["one", "two"]);
    assert!(!done);
    assert!(said.contains("two") && said.contains("535"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    let test = |name: &str| {
        let test = ["connection", "test", name, "--account", NATIVE, "--json"];
        let output = site.relay.command(&test);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["refused-at"].clone()
    };
    assert_eq!(
        (test("one"), test("two")),
        ("auth".into(), serde_json::Value::Null)
    );

    let (done, changed) = set(&["one"]);
    assert!(done, "{changed}");
    assert_eq!(test("one"), serde_json::Value::Null);
    let audit = site.audited("connection-set-credential");
    assert_eq!(audit.len(), 1, "a refusal changes nothing");
    assert_eq!(audit[0]["subject"], "one");
    let all = format!("{audit:?}{changed}{said}{}", site.relay.log());
    assert!(!all.contains("new-hush") && !all.contains(former));
    site.ends();
}
