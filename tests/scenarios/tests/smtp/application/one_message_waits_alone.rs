//! An answer that may be about one message, such as 500, delays that message alone, by the
//! endpoint's own waits.

use test_support::Sink;

use super::desk::{Desk, SECRET, recipient, relay_to, sent};

#[test]
fn a_status_500_does_not_stop_other_mail() {
    let (desk, world) = (Desk::answering(500), Sink::start());
    let keys = format!("secrets = [{SECRET:?}]\nretry-seconds = [3600]");
    let relay = relay_to(desk.address, &world, &keys).start();
    for _ in 0..3 {
        let id = sent(&relay);
        desk.take();
        let waits = relay.eventually("the attempt is on record", |relay| {
            Some(recipient(relay, &id)).filter(|one| one["attempts"] == 1)
        });
        // The relay's own schedule would try again within a second.
        let wait =
            waits["next-attempt"].as_u64().unwrap() - waits["last-attempt"].as_u64().unwrap();
        assert!((3_200_000..=4_000_000).contains(&wait), "{waits}");
    }
    assert!(desk.is_idle() && world.rest().is_empty());
}
