//! An endpoint that refuses the same events for long is told of loudly; only an operator's command
//! skips them, and then the others come, in order.

use test_support::Sink;

use super::endpoint::{Endpoint, numbers};
use super::{builder, make_events, secret, webhook};

#[test]
fn refused_events_are_skipped_by_an_operator_alone() {
    let (sink, desk, site) = (Sink::start(), Endpoint::start(), Endpoint::start());
    let keys = format!(
        "{}\nbatch = 1\naccounts = [\"acme\"]\nalarm-after-seconds = 1",
        secret()
    );
    let table = webhook("desk", desk.address, &keys);
    let relay = builder(&sink)
        .with(&table.replace("retry-seconds = [1]", "retry-seconds = [600]"))
        .with(&webhook("site", site.address, &secret()))
        .start();
    let error = relay.refuses(&["events", "skip", "other"]);
    assert!(error.contains("there is no webhook other"), "{error}");
    let error = relay.refuses(&["events", "skip", "desk"]);
    assert!(
        error.contains("does not wait to send events again"),
        "{error}"
    );

    make_events(&relay);
    let told = site.take(2);
    let stuck = r#"gatepost_webhook_stuck{webhook="desk"}"#;
    assert_eq!(relay.metric(stuck), Some(0.0));
    let request = desk.request();
    assert_eq!(request.events(), told[..1]);
    request.answer("400 Bad Request", "");
    let state = relay.eventually("it is stuck", |relay| {
        let state = relay.json(&["events", "webhooks"]).remove(0);
        (state["is-stuck"] == true).then_some(state)
    });
    assert_eq!(state["batch"]["first"], told[0]["seq"], "{state}");
    relay.logged("a webhook has not taken the same events for long");
    assert_eq!(relay.metric(stuck), Some(1.0));
    let notice = site.take(1).remove(0);
    let text = notice["text"].as_str().unwrap();
    assert!(
        text.contains("the webhook desk has not taken events") && text.contains("400"),
        "{text}"
    );

    assert!(desk.is_idle());
    let skipped = relay.json(&["events", "skip", "desk"]).remove(0);
    assert_eq!(
        (&skipped["first"], &skipped["last"], &skipped["count"]),
        (&told[0]["seq"], &told[0]["seq"], &1.into())
    );
    let next = desk.request();
    assert_eq!(next.events(), told[1..]);
    next.answer("204 No Content", "");
    assert_eq!(relay.metric(stuck), Some(0.0));
    let notice = site.take(1).remove(0);
    assert!(
        notice["text"]
            .as_str()
            .unwrap()
            .contains("had the webhook desk skip 1 events")
    );
    // What was skipped is in the store.
    let kept = relay.json(&["events", "--account", "acme"]);
    assert_eq!(numbers(&kept), numbers(&told));
    relay.leaves_nothing(sink);
}
