//! The application looks up whether a new user's address is a partner's.

use serde_json::{Value, json};
use test_support::Sink;

use crate::{API, account};
use test_support::RelayBuilder;

#[test]
fn the_lookup_names_the_agreement_or_list() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with(API)
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();
    let site = relay.api_token("administer", &[]);
    let a = account(&relay, &site, "a.desk.test");
    let b = account(&relay, &site, "b.desk.test");
    for (id, address) in [(&a, "help@a.desk.test"), (&b, "help@b.desk.test")] {
        let asked = json!({"address": address});
        let path = format!("/accounts/{id}/addresses");
        relay.api("POST", &path, &site, &asked).with_status(201);
    }
    let asked = json!({"partner": b});
    let made = relay.api("POST", &format!("/accounts/{a}/agreements"), &site, &asked);
    made.with_status(201);
    for entry in ["help@b.desk.test", "@whole.example"] {
        let asked = json!({"entry": entry});
        let path = format!("/accounts/{a}/partners");
        relay.api("POST", &path, &site, &asked).with_status(200);
    }
    let reads = relay.api_token("read", &[]);
    let look_up = |account: &str, address: &str| {
        let path = format!("/accounts/{account}/partners/{address}");
        relay.api("GET", &path, &reads, &Value::Null)
    };
    let found = look_up("a.desk.test", "Help%2B1@b.desk.test")
        .with_status(200)
        .body;
    assert_eq!(
        (&found["partner"], &found["account"]),
        (&true.into(), &a.as_str().into())
    );
    assert_eq!(found["canonical"], "help@b.desk.test");
    assert_eq!(found["by"][0]["source"]["agreement"], b);
    assert_eq!(found["by"][1]["source"], "by-hand");
    let said = relay.json(&["partner", "lookup", "a.desk.test", "Help+1@b.desk.test"]);
    assert_eq!(said, [found]);
    let found = look_up(&a, "ann@whole.example").with_status(200).body;
    assert_eq!(found["by"][0]["by-domain"], true);
    let found = look_up(&b, "ann@whole.example").with_status(200).body;
    assert_eq!(found["partner"], false);

    let unknown = look_up("nobody.test", "ann@whole.example").with_status(404);
    assert_eq!(unknown.code(), "directory.unknown-account");
    let malformed = look_up(&a, "nobody").with_status(400);
    assert_eq!(
        (malformed.code(), malformed.text_of("field")),
        ("request.not-understood", "address".to_owned())
    );
    // The page of monitors has no such path any more.
    let (status, _) = relay.page(&format!("/accounts/{a}/partners/ann@whole.example"));
    assert_eq!(status, 404);
    assert_eq!(relay.metric("gatepost_partner_entries"), Some(2.0));
    assert!(relay.metric("gatepost_partner_octets").unwrap() > 0.0);
    let output = relay.command(&["partner", "lookup", "a.desk.test", "ann@customer.example"]);
    assert_eq!(output.status.code(), Some(1));
    let last_used = relay.json(&["token", "list"]);
    assert!(last_used.iter().all(|token| !token["last-used"].is_null()));
    relay.leaves_nothing(sink);
}
