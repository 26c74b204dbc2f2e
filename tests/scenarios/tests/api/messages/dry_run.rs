//! A dry run says what would become of a message, and nothing of it stays.

use serde_json::json;

use super::{Desk, to_ann};

#[test]
fn a_dry_run_is_answered_as_the_message_and_sends_nothing() {
    let desk = Desk::start();
    let mut message = to_ann("Is anybody there?");
    message["trigger"] = json!("automatic");
    let answer = desk.hands_in(message.clone(), &[("dry-run", json!(true))]);
    let answer = answer.with_status(200);
    assert_eq!(answer.body["dry-run"], true);
    assert_eq!(
        answer.body["recipients"][0]["outcome"], "queued",
        "{answer:?}"
    );
    assert!(desk.relay.json(&["queue", "list", "--messages"]).is_empty());
    assert!(desk.relay.json(&["events"]).is_empty());
    let foreign = json!({"from": "x@b.example", "to": ["ann@customer.example"], "text": "x"});
    desk.hands_in(foreign, &[("dry-run", json!(true))])
        .with_status(422);

    desk.hands_in(message, &[]).with_status(202);
    assert!(desk.world.take().text().contains("Is anybody there?"));
    desk.ends();
}
