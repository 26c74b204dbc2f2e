//! A rollout goes up by its steps, is held by an operator, and ends with the candidate active.

use serde_json::{Value, json};
use test_support::Sink;

use crate::rollout_support::{crashes, details, sent, told, tried, with_behaviour};
use crate::{Guest, status};

#[test]
fn a_rollout_goes_up_by_its_steps_and_can_be_held() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    let one = status(&relay, "guest")["digest"].take();
    let steps = ["--steps", "50,90,100", "--every", "0s", "--at-least", "5"];
    let begun = tried(&relay, &steps);
    let candidate = begun["rollout"]["digest"].clone();
    let held = relay.json(&["policy", "hold", "guest"]).remove(0);
    assert_eq!(held["rollout"]["held"], true);
    let mut correspondents = 0..;
    let mut innocent = |relay: &test_support::Relay| {
        let correspondent = correspondents.next().unwrap();
        let sent = sent(relay, &sink, correspondent, &with_behaviour("nothing"));
        sent.1.unwrap()
    };
    relay.eventually("enough is compared", |relay| {
        innocent(relay);
        let compared = details(relay)["rollout"]["compared-in-step"].as_u64()?;
        (compared >= 5).then_some(())
    });
    // The hold outlives a crash.
    crashes(&mut relay);
    let shown = details(&relay);
    assert_eq!(shown["rollout"]["rollout"]["held"], true);
    assert_eq!(shown["rollout"]["share"], 500_000);

    relay.json(&["policy", "go-on", "guest"]);
    relay.eventually("the share grows", |relay| {
        innocent(relay);
        (details(relay)["rollout"]["share"] == 900_000).then_some(())
    });
    relay.eventually("the candidate is active", |relay| {
        innocent(relay);
        (status(relay, "guest")["digest"] == candidate).then_some(())
    });
    assert_eq!(innocent(&relay), "candidate");
    let shown = details(&relay);
    assert_eq!(shown["rollout"], Value::Null);
    assert_eq!(shown["configured"], one);
    assert_eq!(shown["ended"][0]["end"], "promoted");
    let history = relay.json(&["policy", "history", "guest"]);
    assert_eq!(history[0]["origin"], "rollout");
    let reason = history[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("promoted after"), "{reason}");
    let told = told(&relay);
    assert!(
        told.iter().any(|text| text.contains("decides for 90%")),
        "{told:?}"
    );

    // It is active as if it had been activated by hand, and is rolled back as such.
    crashes(&mut relay);
    assert_eq!(innocent(&relay), "candidate");
    let back = relay.json(&["policy", "rollback", "guest"]).remove(0);
    assert_eq!(back["new"], one);
    assert_eq!(back["configured"], json!(true));
    assert_eq!(innocent(&relay), "one");
    relay.leaves_nothing(sink);
}
