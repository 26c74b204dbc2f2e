//! What an application makes over the API is what operators see, and the audit log names the token.

use serde_json::{Value, json};
use test_support::Sink;

use crate::{account, names, with_api};

#[test]
fn an_account_with_all_it_needs_is_set_up_over_http() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let token = relay.api_token("administer", &[]);
    let api = |method: &str, path: &str, body: Value| relay.api(method, path, &token, &body);

    let id = account(&relay, &token, "a.desk.test");
    let shown = api("GET", "/accounts/a.desk.test", Value::Null).with_status(200);
    assert_eq!(shown.text_of("id"), id);
    assert_eq!(relay.json(&["account", "show", &id]), [shown.body]);

    let asked = json!({"address": "help@a.desk.test"});
    let added = api("POST", &format!("/accounts/{id}/addresses"), asked).with_status(201);
    let location = format!("/api/v1/accounts/{id}/addresses/help@a.desk.test");
    assert_eq!(added.fields["location"], location);
    let path = location.strip_prefix("/api/v1").unwrap();
    let shown = api("GET", path, Value::Null).with_status(200);
    assert_eq!(shown.text_of("address"), "help@a.desk.test");

    let asked = json!({"domain": "customer.example", "kind": "two-way"});
    let path = format!("/accounts/{id}/connectors");
    let connector = api("POST", &path, asked).with_status(201).text_of("id");
    let listed = api("GET", &path, Value::Null).with_status(200);
    assert_eq!(names(&listed.body, "id"), [&*connector]);

    let path = format!("/accounts/{id}/credentials");
    let issued = api("POST", &path, json!({})).with_status(201);
    let user = issued.text_of("user-name");
    assert!(issued.text_of("secret").starts_with("gpst_"));
    let shown = api("GET", &format!("{path}/{user}"), Value::Null).with_status(200);
    assert!(!shown.text.contains("gpst_"), "{shown:?}");
    let cancelled = api("POST", &format!("{path}/{user}/cancel"), json!({}));
    cancelled.with_status(200);
    let gone = api("DELETE", &format!("{path}/{user}"), Value::Null).with_status(204);
    assert_eq!(gone.text, "");

    let audit = api("GET", "/audit?limit=1", Value::Null).with_status(200);
    let last = &audit.body["items"][0];
    assert_eq!(last["action"], "credential-remove");
    assert_eq!(last["origin"], "api");
    let actor = last["actor"].as_str().unwrap();
    assert!(actor.starts_with("helpdesk ("), "{actor}");
    relay.leaves_nothing(sink);
}
