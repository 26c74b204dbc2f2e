//! A connection that breaks is told of by an event, and so is that it works again.

use serde_json::Value;
use test_support::Relay;

use crate::{LOGIN, PASSWORD, Service, USER, submit, waits};

/// The service refuses the first log-in.
const REFUSES_ONCE: &str =
    "[[on]]\ncommand = 'LOGIN'\nreply = '535 5.7.8 wrong password'\ntimes = 1\n";

fn notices(relay: &Relay) -> Vec<Value> {
    relay.json(&["events", "--kind", "notice"])
}

#[test]
fn a_broken_connection_is_told_of_by_events() {
    let service = Service::start(&format!("{LOGIN}{REFUSES_ONCE}"));
    let relay = service.relay(&format!("{USER}probe = ['1h']\n")).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    waits(&relay, &id, "wrong password");
    let told = relay.eventually("the break is told", |relay| notices(relay).pop());
    assert_eq!(told["subject"], "connection");
    assert!(told["account"].is_null(), "{told}");
    let text = told["text"].as_str().unwrap();
    assert!(
        text.starts_with("the connection desk is broken at auth")
            && text.contains("wrong password"),
        "{text}"
    );
    assert!(!told.to_string().contains(PASSWORD), "{told}");

    // Nothing is told of a state that stays.
    relay.json(&["connection", "test", "desk"]);
    service.sink.take();
    let told = relay.eventually("the mending is told", |relay| {
        let notices = notices(relay);
        (notices.len() > 1).then_some(notices)
    });
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1]["text"], "the connection desk works again");
    relay.leaves_nothing(service.sink);
}
