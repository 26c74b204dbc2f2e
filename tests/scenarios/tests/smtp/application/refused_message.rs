//! A message that the application refuses with 422 has failed: its sender is told, without the
//! application's words.

use test_support::Sink;

use super::desk::{Desk, SECRET, relay_to, sent};

#[test]
fn a_message_refused_with_422_bounces() {
    let (desk, world) = (Desk::answering(422), Sink::start());
    let relay = relay_to(desk.address, &world, &format!("secrets = [{SECRET:?}]")).start();
    sent(&relay);
    let bounce = world.take();
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let text = bounce.text();
    assert!(text.contains("550 5.3.0 "), "{text}");
    assert!(!text.contains("words of the application"), "{text}");
    desk.take();
    assert!(desk.is_idle());
    relay.leaves_nothing(world);
}
