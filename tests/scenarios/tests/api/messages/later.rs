//! A message that is to be sent later waits, and one that expires before is given up.

use serde_json::json;

use super::{Desk, in_seconds, to_ann};

#[test]
fn a_message_waits_until_it_is_to_be_sent() {
    let desk = Desk::start();
    let at = in_seconds(3);
    desk.hands_in(to_ann("Later."), &[("send-at", json!(at))])
        .with_status(202);
    let waiting = desk.relay.json(&["queue", "list", "--messages"]);
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    desk.world.take();
    assert!(in_seconds(0) >= at, "it was sent before its time");

    let never = [
        ("send-at", json!(in_seconds(60))),
        ("expires", json!(in_seconds(30))),
    ];
    desk.hands_in(to_ann("Never."), &never).with_status(400);
    let month = [("send-at", json!(in_seconds(31 * 24 * 3600)))];
    desk.hands_in(to_ann("Never."), &month).with_status(400);
    desk.ends();
}
