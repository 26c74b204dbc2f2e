//! A change under the condition that the resource is as its asker saw it is made once, however many
//! ask at the same time.

use std::thread;

use serde_json::{Value, json};
use test_support::{ApiAnswer, Relay, Sink};

use crate::{account, with_api};

/// Sends a change under a condition.
fn change_if(
    relay: &Relay,
    token: &str,
    tag: &str,
    (method, path): (&str, &str),
    body: &Value,
) -> ApiAnswer {
    let fields = format!(
        "Authorization: Bearer {token}\r\nContent-Type: application/json\r\nIf-Match: {tag}\r\n"
    );
    relay.api_with(method, path, &fields, body.to_string().as_bytes())
}

#[test]
fn of_many_changes_to_what_all_have_seen_one_is_made() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let token = relay.api_token("administer", &[]);
    let id = account(&relay, &token, "a.desk.test");
    let path = format!("/accounts/{id}");
    let tag = || {
        let shown = relay
            .api("GET", &path, &token, &Value::Null)
            .with_status(200);
        shown.fields["etag"].clone()
    };
    let seen = tag();
    assert_eq!(tag(), seen, "nothing has changed");
    let set = format!("{path}/policies/loop-guard");
    let set = ("PUT", set.as_str());
    let answers: Vec<_> = thread::scope(|scope| {
        let askers: Vec<_> = (0..8)
            .map(|number| {
                let (relay, token, seen) = (&relay, &token, &seen);
                let body = json!({"settings": {"mode": number.to_string()}});
                scope.spawn(move || change_if(relay, token, seen, set, &body).status)
            })
            .collect();
        askers
            .into_iter()
            .map(|asker| asker.join().unwrap())
            .collect()
    });
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        1,
        "{answers:?}"
    );
    assert_eq!(
        answers.iter().filter(|status| **status == 412).count(),
        7,
        "{answers:?}"
    );
    assert_ne!(tag(), seen);

    let body = json!({"settings": {"mode": "late"}});
    let late = change_if(&relay, &token, &seen, set, &body).with_status(412);
    assert_eq!(late.code(), "request.changed-meanwhile");
    // A weak tag matches nothing; one of several may match, and so does any.
    change_if(&relay, &token, &format!("W/{}", tag()), set, &body).with_status(412);
    change_if(&relay, &token, &format!("\"x\", {}", tag()), set, &body).with_status(200);
    change_if(&relay, &token, "*", set, &body).with_status(200);
    // Changes of other things do not matter, if they do not show.
    let seen = tag();
    account(&relay, &token, "b.desk.test");
    change_if(&relay, &token, &seen, set, &json!({})).with_status(200);
    // Whoever sets a condition where there is none is told so.
    let body = json!({"address": "help@a.desk.test"});
    let add = format!("{path}/addresses");
    let refused = change_if(&relay, &token, &tag(), ("POST", &add), &body).with_status(400);
    assert_eq!(refused.text_of("field"), "If-Match");

    let seen = tag();
    change_if(&relay, &token, "\"x\"", ("DELETE", &path), &json!({})).with_status(412);
    change_if(&relay, &token, &seen, ("DELETE", &path), &json!({})).with_status(204);
    change_if(&relay, &token, &seen, ("DELETE", &path), &json!({})).with_status(404);
    relay.leaves_nothing(sink);
}

#[test]
fn a_connection_is_not_overwritten_by_who_has_seen_another() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let token = relay.api_token("administer", &[]);
    let id = account(&relay, &token, "a.desk.test");
    let path = format!("/accounts/{id}/connections");
    let asked =
        json!({"name": "out", "settings": {"host": "one.example", "user": "u", "password": "p"}});
    let made = relay.api("POST", &path, &token, &asked).with_status(201);
    assert_eq!(made.fields["location"], format!("/api/v1{path}/out"));
    assert!(!made.text.contains("\"p\""), "{made:?}");
    let path = format!("{path}/out");
    let shown = relay
        .api("GET", &path, &token, &Value::Null)
        .with_status(200);
    let tag = &shown.fields["etag"];
    let settings = |host: &str| json!({"settings": {"host": host}});
    let change = ("PATCH", path.as_str());
    change_if(&relay, &token, tag, change, &settings("two.example")).with_status(200);
    change_if(&relay, &token, tag, change, &settings("three.example")).with_status(412);
    let shown = relay
        .api("GET", &path, &token, &Value::Null)
        .with_status(200);
    assert_eq!(shown.body["settings"]["host"], "two.example");
    relay.leaves_nothing(sink);
}
