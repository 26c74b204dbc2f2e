//! Every fixture through `gatepost check`: verdict, reply, class, reasons, what arrives and where,
//! without a relay that runs.

use serde_json::{Value, json};
use test_support::Fixture;

use crate::check;

#[test]
fn every_fixture_is_judged_as_expected() {
    for (fixture, report) in check::reports() {
        let Fixture { name, expect, .. } = fixture;
        assert_eq!(report["file"], json!(fixture.path), "{name}");
        assert_eq!(report["verdict"], json!(expect.verdict), "{name}");
        assert_eq!(report["reply"]["code"], json!(expect.code), "{name}");
        if let Some(class) = &expect.class {
            assert_eq!(report["class"], json!(class), "{name}");
        }
        if let Some(allowed) = expect.reply_allowed {
            assert_eq!(report["reply-allowed"], json!(allowed), "{name}");
        }
        if let Some(reason) = &expect.reason {
            let reasons = all(report, "policies", "reasons").to_string();
            assert!(reasons.contains(reason), "{name}: {reasons}");
        }
        let errors = all(report, "policies", "error");
        let none = errors.as_array().unwrap().iter().all(Value::is_null);
        assert!(none, "{name}: {errors}");
        recipients(fixture, report);
    }
}

/// Each recipient of the envelope has the verdict of the message, and a route where it is taken.
fn recipients(fixture: &Fixture, report: &Value) {
    let name = &fixture.name;
    let addresses = all(report, "recipients", "address");
    assert_eq!(addresses, json!(fixture.rcpt_to), "{name}");
    let hop = json!({ "host": "127.0.0.1", "port": 1, "tls": "none" });
    let smart_host = json!({ "steps": [{ "way": { "next-hop": hop } }] });
    let route = match fixture.expect.hop.as_deref() {
        Some("smarthost") => smart_host,
        Some(_) => json!("default"),
        None => Value::Null,
    };
    for recipient in report["recipients"].as_array().unwrap() {
        assert_eq!(
            recipient["verdict"],
            json!(fixture.expect.verdict),
            "{name}"
        );
        assert_eq!(recipient["route"], route, "{name}");
    }
}

/// One member of each object in a list.
fn all(report: &Value, list: &str, member: &str) -> Value {
    let objects = report[list].as_array().unwrap().iter();
    objects.map(|object| object[member].clone()).collect()
}
