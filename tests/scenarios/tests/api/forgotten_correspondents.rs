//! A program of an account erases its correspondents, and nobody else's.

use serde_json::{Value, json};
use test_support::{ApiAnswer, Relay, Sink};

use crate::{account, with_api};

const ANN: &str = "ann@quuxnarf.test";

/// Hands in a message to two people under a key; returns the answer.
fn hands_in(relay: &Relay, token: &str, account: &str) -> ApiAnswer {
    let message = json!({
        "from": "help@a.desk.test", "to": [ANN, "bob@world.test"],
        "subject": "parcels", "text": "They wait.", "trigger": "agent",
    });
    let request = json!({ "message": message }).to_string();
    let fields = format!(
        "Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: parcels\r\n"
    );
    let path = format!("/accounts/{account}/messages");
    relay.api_with("POST", &path, &fields, request.as_bytes())
}

/// Asks for the progress until an erasure is complete.
fn complete(relay: &Relay, path: &str, token: &str) -> Value {
    relay.eventually("the correspondent is erased", |relay| {
        let progress = relay.api("GET", path, token, &Value::Null).with_status(200);
        (progress.body["state"] == "complete").then_some(progress.body)
    })
}

#[test]
fn a_program_erases_correspondents_of_its_own_account() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let site = relay.api_token("administer", &[]);
    let a = account(&relay, &site, "a.desk.test");
    let b = account(&relay, &site, "b.desk.test");
    let of_a = relay.api_token("administer", &["--account", &a]);
    let of_b = relay.api_token("administer", &["--account", &b]);
    let operates = relay.api_token("operate", &["--account", &a]);
    let help = json!({"address": "help@a.desk.test"});
    let path = format!("/accounts/{a}/addresses");
    relay.api("POST", &path, &site, &help).with_status(201);
    let suppress = |of: &str| {
        let path = format!("/accounts/{of}/suppressions");
        let entry = json!({"address": ANN, "reason": "asked"});
        relay.api("POST", &path, &site, &entry).with_status(204);
    };
    let suppressed = |of: &str| {
        let path = format!("/suppressions?account={of}");
        let listed = relay.api("GET", &path, &site, &Value::Null);
        listed.with_status(200).body["items"]
            .as_array()
            .unwrap()
            .len()
    };
    let first = hands_in(&relay, &operates, &a).with_status(202);
    let mut delivered = 0;
    while delivered < 2 {
        delivered += sink.take().to.len();
    }
    suppress(&a);
    suppress(&b);

    let of = |account: &str| format!("/accounts/{account}/recipients/{ANN}/erasure");
    let begin = |path: &str, token: &str| relay.api("POST", path, token, &json!({}));
    // No other scope, no other account, and not the site.
    begin(&of(&a), &operates).with_status(403);
    begin(&of(&b), &of_a).with_status(404);
    begin(&of(&a), &of_b).with_status(404);
    let all = format!("/recipients/{ANN}/erasure");
    begin(&all, &of_a).with_status(403);
    let none = relay
        .api("GET", &of(&a), &of_a, &Value::Null)
        .with_status(404);
    assert_eq!(none.code(), "correspondent.erasure-unknown");
    // What is an account's own is no correspondent.
    let own = format!("/accounts/{a}/recipients/Help+x@a.desk.test/erasure");
    assert_eq!(
        begin(&own, &of_a).with_status(409).code(),
        "correspondent.in-use"
    );
    assert_eq!((suppressed(&a), suppressed(&b)), (1, 1));

    let begun = begin(&of(&a), &of_a).with_status(202);
    let location = begun.fields["location"].replace("%40", "@");
    assert_eq!(location, format!("/api/v1{}", of(&a)));
    let done = complete(&relay, &of(&a), &of_a);
    assert_eq!(done["erased"]["queue"]["suppressions"], 1, "{done}");
    assert!(!done.to_string().contains("quuxnarf"), "{done}");
    assert_eq!((suppressed(&a), suppressed(&b)), (0, 1));
    relay
        .api("GET", &of(&b), &of_b, &Value::Null)
        .with_status(404);
    let events = relay.json(&["events", "--account", &a]);
    assert!(!events.is_empty());
    for event in &events {
        assert!(!event.to_string().contains("quuxnarf"), "{event}");
    }
    // A repetition of the request is answered, and sends nothing more.
    let again = hands_in(&relay, &operates, &a).with_status(202);
    assert_eq!(again.text_of("id"), first.text_of("id"));
    let recipients = again.body["recipients"].to_string();
    assert!(recipients.contains("erased@erased.invalid"), "{recipients}");
    assert!(recipients.contains("bob@world.test"), "{recipients}");
    assert!(!again.text.contains("quuxnarf"), "{again:?}");

    // With an entry that stays: mail is still refused, and nobody knows why.
    let keep = relay.api("POST", &all, &site, &json!({"keep-suppression": true}));
    keep.with_status(202);
    complete(&relay, &all, &site);
    let listed = relay.json(&["suppression", "list", &b]);
    assert_eq!(listed[0]["cause"], "operator");
    assert_eq!(listed[0]["evidence"], "");

    // The audit log tells who has erased somebody, and not whom.
    let audited = relay.json(&["audit", "--limit", "100"]);
    let erasures = audited
        .iter()
        .filter(|of| of["action"] == "correspondent-erase");
    let erasures: Vec<_> = erasures.collect();
    assert_eq!(erasures.len(), 2, "{erasures:?}");
    assert_eq!(erasures[1]["account"], a);
    for entry in &audited {
        assert!(!entry.to_string().contains("quuxnarf"), "{entry}");
    }
    relay.leaves_nothing(sink);
}
