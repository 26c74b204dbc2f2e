//! What the relay does not take is refused with its reply, and each recipient with its own.

use serde_json::json;

use super::{Desk, NATIVE, to_ann};

#[test]
fn a_foreign_author_is_refused_and_a_suppressed_recipient_alone() {
    let desk = Desk::start();
    let mut foreign = to_ann("x");
    foreign["from"] = json!("ceo@customer.example");
    let refused = desk.hands_in(foreign, &[]).with_status(422);
    assert_eq!(refused.code(), "message.refused");
    assert!(
        refused.text_of("detail").starts_with("550 5.7.1"),
        "{refused:?}"
    );

    let add = ["suppression", "add", NATIVE, "bob@customer.example"];
    desk.relay
        .json(&[&add[..], &["--reason", "he asked for it"]].concat());
    let mut both = to_ann("x");
    both["to"] = json!(["ann@customer.example", "bob@customer.example"]);
    let accepted = desk.hands_in(both.clone(), &[]).with_status(202);
    let bob = &accepted.body["recipients"][1];
    assert_eq!(bob["outcome"], "refused", "{accepted:?}");
    assert!(
        bob["why"].as_str().unwrap().contains("he asked for it"),
        "{bob}"
    );
    assert_eq!(desk.world.take().to, ["ann@customer.example"]);

    both["to"] = json!(["bob@customer.example"]);
    let refused = desk.hands_in(both, &[]).with_status(422);
    assert_eq!(
        refused.body["recipients"][0]["address"],
        "bob@customer.example"
    );

    let wrong = desk
        .hands_in(json!({"from": "help@acme.desk.test"}), &[])
        .with_status(400);
    assert!(wrong.text_of("detail").starts_with("to: "), "{wrong:?}");
    desk.ends();
}
