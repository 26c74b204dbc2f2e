//! An application that is down costs one probe at a time, not a try for each message; what waits is
//! delivered when it comes back.

use std::net::SocketAddr;
use std::time::Instant;

use test_support::Sink;

use super::desk::{Desk, SECRET, relay_to, sent};

/// Nobody else listens at this address of the loopback network.
fn address() -> SocketAddr {
    let process = std::process::id().to_be_bytes();
    SocketAddr::from(([127, 77, process[2], process[3].max(1)], 8025))
}

#[test]
fn a_dead_application_costs_one_probe_at_a_time() {
    let world = Sink::start();
    let keys = format!("secrets = [{SECRET:?}]\nretry-seconds = [2]");
    let relay = relay_to(address(), &world, &keys).start();
    let begun = Instant::now();
    let mut messages = vec![sent(&relay)];
    relay.logged("start it, or mend the URL");
    messages.extend((0..11).map(|_| sent(&relay)));
    let desk = Desk::at(&address().to_string(), 200);
    let mut taken: Vec<String> = (messages.iter())
        .map(|_| {
            desk.take().parts().0["transaction"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let probes = 2 + begun.elapsed().as_secs() / 2;
    taken.sort();
    messages.sort();
    assert_eq!(taken, messages);
    let deferred = relay.eventually("all attempts are on record", |relay| {
        let attempts = messages.iter().map(|id| relay.events(id, "attempt"));
        let attempts: Vec<_> = attempts.collect();
        let ended =
            |of: &Vec<serde_json::Value>| of.last().is_some_and(|of| of["ending"] == "delivered");
        let count: usize = attempts.iter().map(|of| of.len().saturating_sub(1)).sum();
        attempts.iter().all(ended).then_some(count)
    });
    assert!(deferred as u64 <= probes, "{deferred} failed tries");
    assert!(deferred >= 1);
    assert!(desk.is_idle());
    relay.leaves_nothing(world);
}
