//! `gatepost events --follow` prints each event as it comes, and goes on where it was when the relay
//! has been started again.

use serde_json::Value;
use test_support::{Process, Sink, gatepost};

use crate::{listed, relay_to, submitted};

#[test]
fn events_are_followed_over_a_restart() {
    let sink = Sink::start();
    let mut relay = relay_to(&sink).start();
    submitted(&relay, &["a@b.example"], "");
    sink.take();

    let config = relay.directory().join("gatepost.toml");
    let mut command = gatepost();
    command
        .args(["events", "--follow", "--json", "--config"])
        .arg(config);
    let follower = Process::start("follower", &mut command);
    let next = || -> Value { serde_json::from_str(&follower.line()).unwrap() };
    let mut followed = vec![next(), next()];
    submitted(&relay, &["b@b.example"], "");
    followed.extend([next(), next()]);
    relay.restart();
    submitted(&relay, &["c@b.example"], "");
    followed.extend([next(), next()]);
    assert_eq!(followed, listed(&relay, &[]));
    sink.take();
    sink.take();
}
