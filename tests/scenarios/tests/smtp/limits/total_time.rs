//! A session that lasts too long: 421, and the connection closes, busy as the client may be.

use std::time::{Duration, Instant};

use test_support::{PATIENCE, RelayBuilder, Sink};

#[test]
fn a_session_ends_in_time() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\ntotal = \"1s\"\nidle-commands = 1000000000")
        .start();
    let begun = Instant::now();
    let mut client = relay.client("mx");
    let last = loop {
        client.send("NOOP\r\n").unwrap();
        let reply = client.reply().unwrap();
        if reply.code != 250 {
            break reply;
        }
        assert!(begun.elapsed() < PATIENCE, "the session goes on");
    };
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!((last.code, last.enhanced()), (421, Some("4.4.2")));
    // What was said meanwhile is not answered any more.
    assert!(client.closed());
    drop(client);
    relay.leaves_nothing(sink);
}
