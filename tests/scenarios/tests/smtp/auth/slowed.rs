//! The answer to a wrong password takes its time, and each time more.

use std::time::{Duration, Instant};

use test_support::{RelayBuilder, Sink};

#[test]
fn each_failed_log_in_is_answered_later() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[log-ins]\ndelay = \"100ms\"")
        .start();
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    for (user, least) in [("user", 100), ("nobody", 200), ("user", 400)] {
        let began = Instant::now();
        assert_eq!(client.plain(user, "wrong").code, 535);
        assert!(began.elapsed() >= Duration::from_millis(least), "{user}");
    }
    assert_eq!(client.plain("user", "secret").code, 235);
    drop(client);
    relay.leaves_nothing(sink);
}
