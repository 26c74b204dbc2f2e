//! An application that has too much to do, and says so by 429 or 503, gets nothing for the time
//! that it names in Retry-After; then what waits is delivered, each message once.

use std::time::{Duration, Instant};

use test_support::Sink;

use super::desk::{Desk, SECRET, recipient, relay_to, sent};

#[test]
fn the_application_gets_nothing_for_the_time_that_it_names() {
    for status in [429, 503] {
        let world = Sink::start();
        let desk = Desk::at_times_busy(status, "Retry-After: 3\r\n");
        // Its own waits are shorter and longer than what the application wants.
        for retry in [1, 3600] {
            let keys = format!("secrets = [{SECRET:?}]\nretry-seconds = [{retry}]");
            desk.be_busy();
            let relay = relay_to(desk.address, &world, &keys).start();
            let first = sent(&relay);
            desk.take();
            let refused = Instant::now();
            let waits = relay.eventually("the attempt is on record", |relay| {
                Some(recipient(relay, &first)).filter(|one| one["attempts"] == 1)
            });
            let time = |key: &str| waits[key].as_u64().unwrap();
            // From the beginning of the attempt.
            let wait = time("next-attempt") - time("last-attempt");
            assert!((3_000..60_000).contains(&wait), "{waits}");
            // Others come meanwhile: none of them is posted before the time is over.
            let others = [sent(&relay), sent(&relay)];
            let posted = [(); 3].map(|()| desk.take().parts().0["transaction"].clone());
            assert!(refused.elapsed() >= Duration::from_secs(2), "{posted:?}");
            for id in others.iter().chain([&first]) {
                assert!(posted.iter().any(|one| one == id.as_str()), "{posted:?}");
            }
            relay.eventually("the queue is empty", |relay| {
                relay
                    .json(&["queue", "list", "--messages"])
                    .is_empty()
                    .then_some(())
            });
            assert!(desk.is_idle());
        }
        assert!(world.rest().is_empty());
    }
}

/// A wait of nothing is a second: the application is not asked again at once.
#[test]
fn a_retry_after_of_nothing_is_a_second() {
    let world = Sink::start();
    let desk = Desk::at_times_busy(503, "Retry-After: 0\r\n");
    desk.be_busy();
    let keys = format!("secrets = [{SECRET:?}]\nretry-seconds = [3600]");
    let relay = relay_to(desk.address, &world, &keys).start();
    let id = sent(&relay);
    desk.take();
    desk.take();
    let attempts = relay.eventually("it is delivered", |relay| {
        let attempts = relay.events(&id, "attempt");
        (attempts.len() == 2).then_some(attempts)
    });
    let time = |at: usize| attempts[at]["at"].as_u64().unwrap();
    // An attempt is on record a moment after its end, from which the second counts.
    let queued = relay.events(&id, "queued")[0]["at"].as_u64().unwrap();
    let next = &attempts[0]["ending"]["deferred"]["next-attempt"];
    let next = next.as_u64().unwrap();
    assert!(next >= queued + 1_000, "{queued} {attempts:?}");
    assert!(time(1) >= next, "{attempts:?}");
    assert_eq!(attempts[1]["ending"], "delivered", "{attempts:?}");
    assert!(desk.is_idle());
    relay.leaves_nothing(world);
}
