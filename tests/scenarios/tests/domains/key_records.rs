//! Records of DKIM keys: missing, of another key, revoked, or an alias into the site's own zone.

use serde_json::Value;

use crate::{CUSTOMER, Checked, SPF, Site, line, lines, strings, zone};

fn record<'k>(key: &'k Value, field: &str) -> &'k str {
    key["record"][field].as_str().unwrap()
}

/// Finding about a key.
fn about<'c>(checked: &'c Checked, key: &Value) -> &'c Value {
    let mut all = checked.all("dkim").into_iter();
    all.find(|of| of["name"] == key["record"]["name"]).unwrap()
}

#[test]
fn each_fault_of_a_record_is_named() {
    let site = Site::start(zone(), "outbound-only").vouched();
    let none = site.check();
    let words = "missing: there is no key: make it with `gatepost dkim generate --account \
                 acme.desk.example customer.example`";
    assert_eq!(none.one("dkim"), words);
    let keys = site.make_keys();
    let (rsa, ed25519) = (&keys[0], &keys[1]);
    site.dns
        .zone()
        .txt(record(rsa, "name"), "v=DKIM1; k=rsa; p=");
    site.dns
        .zone()
        .txt(record(ed25519, "name"), "v=DKIM1; k=ed25519; p=AAAA");
    let checked = site.check();
    let (of_rsa, other) = (about(&checked, rsa), about(&checked, ed25519));
    let said = [line(of_rsa), line(other)];
    assert!(
        said[0].starts_with("differs: the key is revoked: p= is empty; with `"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("differs: the record has another key; with `"),
        "{said:?}"
    );
    assert_eq!(checked.code, 1);
    assert_eq!(lines(&of_rsa["paste"]), [record(rsa, "line")]);
    assert_eq!(lines(&of_rsa["found"]), ["v=DKIM1; k=rsa; p="]);

    // Once the site's own zone has the records, the aliases are what to paste.
    let mut zone = site.dns.zone();
    for key in &keys {
        let strings = strings(key);
        let strings: Vec<_> = strings.iter().map(String::as_bytes).collect();
        zone.forget(record(key, "name"));
        zone.txt_strings(key["record"]["alias"]["target"].as_str().unwrap(), &strings);
    }
    drop(zone);
    let checked = site.check();
    for key in &keys {
        let finding = about(&checked, key);
        assert_eq!(line(finding), "missing: there is no record");
        assert_eq!(
            lines(&finding["paste"]),
            [key["record"]["alias"]["line"].as_str().unwrap()]
        );
    }
    let mut zone = site.dns.zone();
    for key in &keys {
        zone.cname(
            record(key, "name"),
            key["record"]["alias"]["target"].as_str().unwrap(),
        );
    }
    drop(zone);
    let checked = site.check();
    assert!(
        checked
            .all("dkim")
            .into_iter()
            .all(|of| line(of) == "advice: right")
    );
    assert_eq!(checked.one("alignment"), "right: our signature proves it");
}

#[test]
fn keys_are_advice_where_spf_proves_the_domain() {
    let mut zone = zone();
    zone.txt(CUSTOMER, SPF);
    let site = Site::start(zone, "outbound-only").vouched();
    site.make_keys();
    let checked = site.check();
    assert_eq!(
        checked.one("alignment"),
        "right: SPF of customer.example proves it"
    );
    for finding in checked.all("dkim") {
        assert!(
            line(finding).starts_with("advice: missing: there is no record"),
            "{finding}"
        );
    }
    assert_eq!(checked.code, 0);
}
