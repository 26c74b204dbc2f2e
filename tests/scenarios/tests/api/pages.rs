//! Pages of a list go on where the page before ended, whatever came and went in between.

use serde_json::{Value, json};
use test_support::Sink;

use crate::{account, names, with_api};

#[test]
fn a_list_is_read_by_pages_while_it_changes() {
    let sink = Sink::start();
    let relay = with_api(&sink).start();
    let token = relay.api_token("administer", &[]);
    let id = account(&relay, &token, "a.desk.test");
    let path = format!("/accounts/{id}/suppressions");
    let suppress = |address: &str| {
        let asked = json!({"address": address});
        relay.api("POST", &path, &token, &asked).with_status(204);
    };
    let page = |rest: &str| {
        let page = relay.api(
            "GET",
            &format!("/suppressions?account={id}&{rest}"),
            &token,
            &Value::Null,
        );
        page.with_status(200).body
    };
    for name in ["a", "c", "e", "g"] {
        suppress(&format!("{name}@customer.example"));
    }
    let first = page("limit=2");
    assert_eq!(
        names(&first, "address"),
        ["a@customer.example", "c@customer.example"]
    );
    let cursor = first["next"].as_str().unwrap();
    // The last one of the page goes, and others come before and behind it.
    let gone = format!("{path}/c@customer.example");
    relay
        .api("DELETE", &gone, &token, &Value::Null)
        .with_status(204);
    suppress("b@customer.example");
    suppress("d@customer.example");
    let second = page(&format!("limit=2&cursor={cursor}"));
    assert_eq!(
        names(&second, "address"),
        ["d@customer.example", "e@customer.example"]
    );
    let cursor = second["next"].as_str().unwrap();
    let third = page(&format!("limit=2&cursor={cursor}"));
    assert_eq!(names(&third, "address"), ["g@customer.example"]);
    assert_eq!(third["next"], Value::Null);

    for wrong in [
        "limit=0",
        "limit=1001",
        "cursor=x",
        "after=a@customer.example",
    ] {
        let path = format!("/suppressions?{wrong}");
        let refused = relay
            .api("GET", &path, &token, &Value::Null)
            .with_status(400);
        assert_eq!(refused.code(), "request.not-understood");
        let field = wrong.split_once('=').unwrap().0;
        assert_eq!(refused.text_of("field"), field);
    }
    // A cursor of one list is none of another.
    let path = format!("/audit?cursor={cursor}");
    relay
        .api("GET", &path, &token, &Value::Null)
        .with_status(400);
    relay.leaves_nothing(sink);
}
