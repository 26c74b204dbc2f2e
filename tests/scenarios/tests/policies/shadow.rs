//! A shadow is asked beside the active version on live mail: its differences are counted and shown,
//! and nothing else changes.

use test_support::Sink;

use crate::rollout_support::{details, sent, tried, with_behaviour};
use crate::{Guest, status};

#[test]
fn a_shadow_counts_differences_and_changes_nothing() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    let one = status(&relay, "guest")["digest"].take();
    tried(&relay, &["--shadow", "--budget", "100%"]);
    for number in 0..5 {
        let (reply, version) = sent(&relay, &sink, number, &with_behaviour("rejects"));
        assert_eq!(reply.code, 250, "{}", reply.text());
        assert_eq!(version.as_deref(), Some("one"));
        let judgements = relay.judgements(&reply.transaction());
        assert_eq!(judgements.len(), 1, "{judgements:?}");
        assert_eq!(judgements[0]["digest"], one);
    }
    sent(&relay, &sink, 5, &with_behaviour("traps"));
    sent(&relay, &sink, 6, &with_behaviour("floods"));
    let shown = relay.eventually("all are compared", |relay| {
        let shown = details(relay);
        (shown["rollout"]["counts"]["compared"] == 7).then_some(shown)
    });
    let rollout = &shown["rollout"];
    assert_eq!(rollout["counts"]["changed"], 5, "{rollout}");
    assert_eq!(rollout["counts"]["faults"], 1, "{rollout}");
    assert_eq!(rollout["counts"]["flooding"], 1, "{rollout}");
    assert_eq!(rollout["differences"]["counts"]["verdict"], 5, "{rollout}");
    assert_eq!(rollout["differences"]["counts"]["faults"], 1, "{rollout}");
    let samples = rollout["differences"]["samples"].as_array().unwrap();
    let sample = samples.iter().find(|of| of["kind"] == "verdict").unwrap();
    assert_eq!(sample["hook"], "message");
    assert!(
        sample["active"]
            .as_str()
            .unwrap()
            .starts_with("pass (judged by version one)")
    );
    assert!(
        sample["candidate"]
            .as_str()
            .unwrap()
            .starts_with("reject (judged by")
    );

    // A shadow is never rolled back, and its log lines are dropped.
    assert!(!relay.log().contains("xxxxxxxx"), "{}", relay.log());
    assert_eq!(
        relay.metric("gatepost_rollout_calls_total{policy=\"guest\"}"),
        Some(7.0)
    );
    let differences = "gatepost_rollout_differences_total{policy=\"guest\",kind=\"verdict\"}";
    assert_eq!(relay.metric(differences), Some(5.0));
    let text = relay.command(&["policy", "status", "guest"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("7 calls compared"), "{text}");
    assert!(text.contains("5 differ in verdict"), "{text}");

    // It can become the active version.
    relay.json(&["policy", "promote", "guest"]);
    let (reply, _) = sent(&relay, &sink, 7, &with_behaviour("rejects"));
    assert_eq!(reply.code, 550);
    assert_eq!(details(&relay)["ended"][0]["end"], "promoted");
    relay.leaves_nothing(sink);
}

#[test]
fn a_shadow_keeps_to_its_budget() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    tried(&relay, &["--shadow", "--budget", "0.01%"]);
    // The first uses up what a second allows, and more.
    let mut number = 0;
    relay.eventually("calls are skipped", |relay| {
        sent(relay, &sink, number, &with_behaviour("slow"));
        number += 1;
        let rollout = &details(relay)["rollout"];
        (rollout["skipped"].as_u64()? >= 3).then_some(())
    });
    relay.leaves_nothing(sink);
}
