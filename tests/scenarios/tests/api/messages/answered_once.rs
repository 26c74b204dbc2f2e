//! A request that comes again under its key is answered as the first time, also after a kill.

use serde_json::json;

use super::{Desk, in_seconds, to_ann};

#[test]
fn a_repetition_under_a_key_sends_nothing_more() {
    let mut desk = Desk::start();
    // It waits, so that the kill falls on a message whose delivery has not begun.
    let request = json!({ "message": to_ann("Once."), "send-at": in_seconds(3600) }).to_string();
    let fields = "Content-Type: application/json\r\nIdempotency-Key: order-4711\r\n";
    let first = desk.sends("", fields, request.as_bytes()).with_status(202);
    desk.relay.kill();
    desk.relay.restart();
    let again = desk.sends("", fields, request.as_bytes()).with_status(202);
    assert_eq!(again.text_of("id"), first.text_of("id"));
    for member in ["recipients", "message-id"] {
        assert_eq!(again.body[member], first.body[member], "{member}");
    }
    let other = json!({ "message": to_ann("Twice.") }).to_string();
    let other = desk.sends("", fields, other.as_bytes()).with_status(422);
    assert_eq!(other.code(), "request.key-reused");
    let id = first.text_of("id");
    let queued = desk.relay.json(&["queue", "list", "--messages"]);
    assert_eq!(queued.len(), 1, "{queued:?}");
    assert_eq!(queued[0]["id"], *id);
    desk.relay.json(&["queue", "cancel", &id]);
    desk.ends();
}
