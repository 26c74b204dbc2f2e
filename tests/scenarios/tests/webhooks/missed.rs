//! Events that are dropped before a webhook was told of them are told of as lost.

use test_support::Sink;

use super::endpoint::{Endpoint, numbers};
use super::{builder, make_events, secret, webhook};

#[test]
fn events_that_are_dropped_untold_are_told_of() {
    let (sink, endpoint) = (Sink::start(), Endpoint::start());
    let keys = format!("{}\nbatch = 1", secret());
    let mut relay = builder(&sink)
        .with("[events]\nmost = 2")
        .with(&webhook("desk", endpoint.address, &keys))
        .start();
    for _ in 0..3 {
        make_events(&relay);
    }
    let refused = endpoint.request();
    assert_eq!(numbers(&refused.events()), [1]);
    refused.answer("500 Oops", "");
    let missed = r#"gatepost_webhook_missed_total{webhook="desk"}"#;
    assert_eq!(relay.metric(missed), Some(0.0));

    // What is too much is dropped as the relay starts.
    relay.restart();
    while relay.metric(missed) == Some(0.0) {
        endpoint.request().answer("500 Oops", "");
    }
    assert!(relay.metric(missed).unwrap() >= 3.0);
    let warning = relay.logged("events were dropped before a webhook was told of them");
    assert!(
        warning.contains("WARN") && warning.contains("desk"),
        "{warning}"
    );
    let words = "to 4 were dropped before the webhook desk was told";
    relay.eventually("the loss is told", |relay| {
        let notices = relay.json(&["events", "--kind", "notice"]);
        let told = |notice: &serde_json::Value| notice["text"].as_str().unwrap().contains(words);
        notices.iter().any(told).then_some(())
    });
    let state = relay.json(&["events", "webhooks"]).remove(0);
    assert!(state["missed"].as_u64() >= Some(3), "{state}");
    relay.leaves_nothing(sink);
}
