//! A path that names an account and a thing of another account is not found, whatever the token.

use serde_json::{Value, json};
use test_support::Sink;

use crate::{account, with_api};

#[test]
fn what_is_another_accounts_is_as_if_it_were_not_there() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let site = relay.api_token("administer", &[]);
    let a = account(&relay, &site, "a.desk.test");
    let b = account(&relay, &site, "b.desk.test");
    let of_b = relay.api_token("administer", &["--account", &b]);
    let api = |method: &str, path: &str, body: Value| relay.api(method, path, &site, &body);

    let asked = json!({"domain": "customer.example", "kind": "two-way", "protocol": "PLAIN"});
    let connector = api("POST", &format!("/accounts/{a}/connectors"), asked);
    let connector = connector.with_status(201).text_of("id");
    let credential = api("POST", &format!("/accounts/{a}/credentials"), json!({}));
    let credential = credential.with_status(201).text_of("user-name");
    let import = api("POST", &format!("/accounts/{a}/partner-imports"), json!({}));
    let import = import.with_status(201).body["import"].to_string();
    let none = "0".repeat(32);
    for (method, path, named, absent) in [
        ("GET", "connectors", connector.as_str(), none.as_str()),
        ("DELETE", "connectors", connector.as_str(), none.as_str()),
        ("GET", "credentials", credential.as_str(), "out-nobody"),
        ("DELETE", "credentials", credential.as_str(), "out-nobody"),
        ("DELETE", "partner-imports", import.as_str(), "1"),
    ] {
        for token in [&site, &of_b] {
            let ask = |named: &str| {
                let path = format!("/accounts/{b}/{path}/{named}");
                relay
                    .api(method, &path, token, &Value::Null)
                    .with_status(404)
            };
            let (foreign, absent_answer) = (ask(named), ask(absent));
            assert_eq!(foreign.text.replace(named, absent), absent_answer.text);
        }
    }
    // Nothing of it was done.
    api(
        "GET",
        &format!("/accounts/{a}/connectors/{connector}"),
        Value::Null,
    )
    .with_status(200);
    api(
        "GET",
        &format!("/accounts/{a}/credentials/{credential}"),
        Value::Null,
    )
    .with_status(200);
    let import = api(
        "DELETE",
        &format!("/accounts/{a}/partner-imports/{import}"),
        Value::Null,
    );
    import.with_status(204);

    // Whatever a bound token asks for, it gets its own account's: lists, and what it makes.
    let tokens = relay
        .api("GET", "/tokens", &of_b, &Value::Null)
        .with_status(200);
    let tokens = tokens.body["items"].as_array().unwrap().clone();
    assert!(
        tokens.iter().all(|token| token["account"] == b),
        "{tokens:?}"
    );
    let asked = json!({"name": "second", "scope": "read"});
    let made = relay.api("POST", "/tokens", &of_b, &asked).with_status(201);
    assert_eq!(made.text_of("account"), b);
    let asked = json!({"name": "third", "scope": "read", "account": a});
    relay.api("POST", "/tokens", &of_b, &asked).with_status(404);
    relay
        .api("GET", &format!("/audit?account={a}"), &of_b, &Value::Null)
        .with_status(404);
    let audit = relay
        .api("GET", "/audit", &of_b, &Value::Null)
        .with_status(200);
    let audit = audit.body["items"].as_array().unwrap().clone();
    assert!(!audit.is_empty());
    assert!(audit.iter().all(|entry| entry["account"] == b), "{audit:?}");
    relay.leaves_nothing(sink);
}
