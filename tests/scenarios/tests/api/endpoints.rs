//! An application manages the endpoints of its account over HTTP. A secret is shown once, and the
//! endpoints of another account are not there.

use serde_json::{Value, json};
use test_support::Sink;

use crate::{account, names, with_api};

#[test]
fn endpoints_of_an_account_are_managed_over_http() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let site = relay.api_token("administer", &[]);
    let a = account(&relay, &site, "a.desk.test");
    let b = account(&relay, &site, "b.desk.test");
    let of_a = relay.api_token("administer", &["--account", &a]);
    let of_b = relay.api_token("administer", &["--account", &b]);
    let reader = relay.api_token("read", &["--account", &a]);
    let api = |method: &str, path: &str, body: Value| relay.api(method, path, &of_a, &body);
    let all = format!("/accounts/{a}/endpoints");
    let one = format!("{all}/tickets");

    let asked =
        json!({"name": "tickets", "settings": {"url": "https://desk.test/in", "form": "raw"}});
    relay.api("POST", &all, &reader, &asked).with_status(403);
    relay.api("POST", &all, &of_b, &asked).with_status(404);
    let added = api("POST", &all, asked.clone()).with_status(201);
    assert_eq!(added.fields["location"], format!("/api/v1{one}"));
    assert_eq!(added.text_of("for"), "account");
    assert!(added.text_of("secret").starts_with("whsec_"), "{added:?}");
    assert_eq!(
        api("POST", &all, asked).with_status(409).code(),
        "endpoint.exists"
    );

    let listed = api("GET", &all, Value::Null).with_status(200);
    assert_eq!(names(&listed.body, "name"), ["tickets"]);
    let shown = relay
        .api("GET", &one, &reader, &Value::Null)
        .with_status(200);
    assert!(!shown.text.contains("whsec_"), "{shown:?}");
    assert_eq!(shown.body["settings"]["url"], "https://desk.test/in");
    assert_eq!(
        relay.json(&["endpoint", "show", "--account", &a, "tickets"]),
        std::slice::from_ref(&shown.body)
    );

    for (wrong, words) in [
        (
            json!({"settings": {"url": "http://desk.test/"}}),
            "https://",
        ),
        (json!({"settings": {"form": "xml"}}), "xml"),
        (json!({"settings": {"failing": [200]}}), "failing"),
        (
            json!({"settings": {"timeout-seconds": 0}}),
            "timeout-seconds",
        ),
        (
            json!({"settings": {"attachments": "url", "form": "json"}}),
            "[handover]",
        ),
        (json!({"settings": {"secrets": ["short"]}}), "secrets"),
    ] {
        let refused = api("PATCH", &one, wrong.clone()).with_status(400);
        assert_eq!(refused.code(), "endpoint.invalid", "{wrong}");
        assert!(refused.text.contains(words), "{wrong}: {refused:?}");
    }
    let asked = json!({"for": "help@nowhere.test"});
    assert_eq!(
        api("PATCH", &one, asked).with_status(404).code(),
        "directory.unknown-address"
    );

    let tag = shown.fields["etag"].clone();
    let asked = json!({"settings": {"form": "json", "timeout-seconds": 5}});
    let changed = api("PATCH", &one, asked).with_status(200);
    assert_eq!(changed.body["settings"]["form"], "json");
    assert_eq!(changed.body["settings"]["url"], "https://desk.test/in");
    assert_eq!(changed.body["secret"], Value::Null, "{changed:?}");
    let fields = format!("Authorization: Bearer {of_a}\r\nIf-Match: {tag}\r\n");
    relay
        .api_with("DELETE", &one, &fields, b"")
        .with_status(412);

    let secret = format!("{one}/secret");
    let rotated = api("POST", &secret, json!({})).with_status(200);
    assert!(rotated.text_of("secret").starts_with("whsec_"));
    assert_eq!(rotated.body["settings"]["secrets"], json!(["…", "…"]));
    let again = api("POST", &secret, json!({})).with_status(409);
    assert_eq!(again.code(), "endpoint.rotation-under-way");
    let retired = api("DELETE", &secret, Value::Null).with_status(200);
    assert_eq!(retired.body["settings"]["secrets"], json!(["…"]));
    let again = api("DELETE", &secret, Value::Null).with_status(409);
    assert_eq!(again.code(), "endpoint.one-secret");

    // Another account's is as if it were not there.
    let of_other = format!("/accounts/{b}/endpoints/tickets");
    for (token, path) in [(&of_b, &one), (&of_a, &of_other), (&of_b, &of_other)] {
        for method in ["GET", "DELETE"] {
            relay
                .api(method, path, token, &Value::Null)
                .with_status(404);
        }
    }
    api("DELETE", &one, Value::Null).with_status(204);
    api("GET", &one, Value::Null).with_status(404);
    let audit = api("GET", "/audit?limit=1", Value::Null).with_status(200);
    assert_eq!(audit.body["items"][0]["action"], "endpoint-remove");
    assert_eq!(audit.body["items"][0]["subject"], "tickets");
    assert!(!relay.log().contains("whsec_"));
    relay.leaves_nothing(sink);
}
