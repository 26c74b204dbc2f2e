//! A token of an account works on the messages of the account and finds no others.

use serde_json::{Value, json};
use test_support::{Relay, Sink};

use crate::{account, names, with_api};

/// Sends a message to an address, which stays in the queue; returns its id.
fn queued(relay: &Relay, to: &str) -> String {
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver(
        "ann@customer.example",
        &[to],
        b"Subject: hello\r\n\r\nHello!\r\n",
    );
    let reply = reply.unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let rows = relay.json(&["queue", "list", "--messages", "--recipient", to]);
    rows[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_bound_token_sees_and_changes_the_mail_of_its_account_alone() {
    let sink = Sink::with(&["--tempfail-first", "1000"]);
    let relay = with_api(&sink)
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start();
    let site = relay.api_token("administer", &[]);
    let mut ids = Vec::new();
    for domain in ["a.desk.test", "b.desk.test"] {
        let id = account(&relay, &site, domain);
        let address = format!("help@{domain}");
        let path = format!("/accounts/{id}/addresses");
        let asked = json!({"address": address});
        relay.api("POST", &path, &site, &asked).with_status(201);
        ids.push((id, queued(&relay, &address)));
    }
    let [(a, of_a), (b, of_b)] = <[_; 2]>::try_from(ids).unwrap();
    let token = relay.api_token("operate", &["--account", &a]);
    let api = |method: &str, path: &str, body: Value| relay.api(method, path, &token, &body);

    let all = relay
        .api("GET", "/queue", &site, &Value::Null)
        .with_status(200);
    assert_eq!(names(&all.body, "id"), [&*of_a, &*of_b]);
    let own = api("GET", "/queue", Value::Null).with_status(200);
    assert_eq!(names(&own.body, "id"), [&*of_a]);
    api("GET", &format!("/queue?account={b}"), Value::Null).with_status(404);

    for path in ["/queue/{}", "/messages/{}/trace"] {
        api("GET", &path.replace("{}", &of_a), Value::Null).with_status(200);
        let foreign = api("GET", &path.replace("{}", &of_b), Value::Null).with_status(404);
        let none = "01a20485-bcbb-73d1-ab86-9a97923ae8ee";
        let absent = api("GET", &path.replace("{}", none), Value::Null).with_status(404);
        assert_eq!(foreign.text.replace(&of_b, none), absent.text);
    }
    let held = api("POST", "/queue/hold", json!({"ids": [of_a, of_b]})).with_status(200);
    assert_eq!(held.body["changed"], 1);
    let state = |id: &str| {
        let shown = relay.api("GET", &format!("/queue/{id}"), &site, &Value::Null);
        shown.with_status(200).body["recipients"][0]["status"].to_string()
    };
    assert!(state(&of_a).contains("held"), "{}", state(&of_a));
    assert!(!state(&of_b).contains("held"), "{}", state(&of_b));

    // What has left the queue is known by its trace.
    let cancelled = relay.api("POST", "/queue/cancel", &site, &json!({"all": true}));
    assert_eq!(cancelled.with_status(200).body["changed"], 2);
    api("GET", &format!("/messages/{of_a}/trace"), Value::Null).with_status(200);
    api("GET", &format!("/messages/{of_b}/trace"), Value::Null).with_status(404);
    relay.leaves_nothing(sink);
}
