//! A next hop that says come again is tried again after the first wait of the schedule, and gets
//! the message once.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted, all};

#[test]
fn a_message_is_delivered_after_a_temporary_failure() {
    let sink = Sink::with(&["--tempfail-first", "1"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    assert_eq!(sink.take().to, ["x@desk.example"]);
    let attempts = relay.eventually("both attempts are on record", |relay| {
        let attempts = relay.events(&id, "attempt");
        (attempts.len() == 2).then_some(attempts)
    });
    assert_eq!(all(&attempts, "attempt"), [1, 2]);
    assert_eq!(attempts[0]["reply"]["code"], 451);
    let due = attempts[0]["ending"]["deferred"]["next-attempt"].as_u64();
    assert!(due > attempts[0]["at"].as_u64(), "{attempts:?}");
    assert!(attempts[1]["at"].as_u64() >= due, "{attempts:?}");
    assert_eq!(attempts[1]["ending"], "delivered");
    relay.leaves_nothing(sink);
}
