//! One look-up tells an application all that is known of an address before it writes to it.

use serde_json::{Value, json};
use test_support::Sink;

use crate::{account, with_api};

#[test]
fn a_recipient_is_looked_up_with_a_sentence_for_the_agent() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let site = relay.api_token("administer", &[]);
    let id = account(&relay, &site, "a.desk.test");
    let other = account(&relay, &site, "b.desk.test");
    let token = relay.api_token("operate", &["--account", &id]);
    let look_up = |address: &str| {
        let path = format!("/accounts/{id}/recipients/{address}");
        relay
            .api("GET", &path, &token, &Value::Null)
            .with_status(200)
    };
    let free = look_up("ann@customer.example");
    for fact in ["partner", "machine", "suppressed", "last-failure"] {
        assert_eq!(free.body[fact], Value::Null, "{fact}");
    }
    let sentence = "Nothing speaks against writing to <ann@customer.example>.";
    assert_eq!(free.text_of("sentence"), sentence);
    let lookup = ["recipient", "lookup", "a.desk.test", "ann@customer.example"];
    assert_eq!(relay.json(&lookup), [free.body]);

    let partner = json!({"entry": "@partner.example"});
    let path = format!("/accounts/{id}/partners");
    relay.api("POST", &path, &token, &partner).with_status(200);
    let found = look_up("ben@partner.example");
    assert_eq!(found.body["partner"]["by-domain"], true);
    assert!(
        found.text_of("sentence").contains("is a partner's"),
        "{found:?}"
    );

    let suppressed = json!({"address": "cat@customer.example", "reason": "she asked for it"});
    let path = format!("/accounts/{id}/suppressions");
    relay
        .api("POST", &path, &token, &suppressed)
        .with_status(204);
    let found = look_up("Cat@customer.example");
    assert_eq!(found.body["suppressed"]["cause"], "operator");
    let sentence = found.text_of("sentence");
    assert!(
        sentence.starts_with("Mail to it is refused: <"),
        "{sentence}"
    );
    assert!(sentence.contains("she asked for it"), "{sentence}");

    // Failures that are counted only are told of, those of neighbours in the list are not.
    let counted = |name: &str, count: u32| {
        json!({
            "address": format!("{name}@customer.example"), "cause": "counting",
            "evidence": "452 4.2.2 mailbox full", "at": null, "count": count,
        })
    };
    let asked = json!({"entries": [counted("dan", 2), counted("dam", 1), counted("dao", 1)]});
    let path = format!("/accounts/{id}/suppressions/import");
    relay.api("POST", &path, &token, &asked).with_status(200);
    let found = look_up("dan@customer.example");
    assert_eq!(found.body["last-failure"]["count"], 2);
    let sentence = found.text_of("sentence");
    assert!(sentence.contains("has failed 2 times"), "{sentence}");
    assert!(sentence.ends_with("452 4.2.2 mailbox full."), "{sentence}");
    assert_eq!(
        look_up("dal@customer.example").body["last-failure"],
        Value::Null
    );

    // What one account knows is not another's.
    let path = format!("/accounts/{other}/recipients/cat@customer.example");
    relay
        .api("GET", &path, &token, &Value::Null)
        .with_status(404);
    let found = relay
        .api("GET", &path, &site, &Value::Null)
        .with_status(200);
    assert_eq!(found.body["suppressed"], Value::Null);
    let asks = ["recipient", "lookup", "a.desk.test", "cat@customer.example"];
    assert_eq!(relay.command(&asks).status.code(), Some(1));
    relay.leaves_nothing(sink);
}
