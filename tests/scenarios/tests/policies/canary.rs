//! A canary decides for a share of the mail by account and correspondent, and survives `kill -9` with
//! its share.

use std::collections::BTreeMap;

use serde_json::Value;
use test_support::{Relay, Sink, hostile_file};

use crate::rollout_support::{crashes, details, sent, told, tried, with_behaviour};
use crate::{Guest, status};

const CORRESPONDENTS: usize = 40;

/// Sends one message of each correspondent; returns the version that decided, each as its record
/// says, too.
fn deciders(relay: &Relay, sink: &Sink, digests: &BTreeMap<&str, &Value>) -> Vec<String> {
    let correspondents = 0..CORRESPONDENTS;
    let decided = correspondents.map(|correspondent| {
        let (reply, version) = sent(relay, sink, correspondent, &with_behaviour("nothing"));
        let version = version.unwrap();
        let judgements = relay.judgements(&reply.transaction());
        assert_eq!(judgements.len(), 1, "{judgements:?}");
        assert_eq!(&judgements[0]["digest"], digests[version.as_str()]);
        version
    });
    decided.collect()
}

#[test]
fn one_correspondent_has_one_version_also_after_a_crash() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    let one = status(&relay, "guest")["digest"].take();
    let begun = tried(&relay, &["--canary", "40%"]);
    assert_eq!(begun["share"], 400_000, "{begun}");
    let candidate = begun["rollout"]["digest"].clone();
    let digests = BTreeMap::from([("one", &one), ("candidate", &candidate)]);
    let decided = deciders(&relay, &sink, &digests);
    let share = decided.iter().filter(|of| *of == "candidate").count();
    assert!((1..CORRESPONDENTS).contains(&share), "{share}");
    assert_eq!(deciders(&relay, &sink, &digests), decided);
    let shown = details(&relay);
    let counts = &shown["rollout"]["counts"];
    assert_eq!(counts["compared"], 2 * share, "{counts}");
    assert_eq!(counts["changed"], 0, "{counts}");
    assert_eq!(shown["digest"], one, "the active version stays");

    crashes(&mut relay);
    assert_eq!(details(&relay)["rollout"]["counts"]["compared"], 0);
    assert_eq!(deciders(&relay, &sink, &digests), decided);

    let dropped = relay.json(&["policy", "rollback", "guest"]).remove(0);
    assert_eq!((&dropped["old"], &dropped["new"]), (&candidate, &one));
    let decided = deciders(&relay, &sink, &digests);
    assert!(decided.iter().all(|version| version == "one"));
    let shown = details(&relay);
    assert_eq!(shown["rollout"], Value::Null);
    assert_eq!(shown["ended"][0]["end"], "rolled-back");
    let told = told(&relay);
    assert!(told[0].contains("decides for 40% of the mail"), "{told:?}");
    assert!(told[1].contains("rolled back by"), "{told:?}");
    relay.leaves_nothing(sink);
}

#[test]
fn a_new_activation_ends_a_rollout() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    tried(&relay, &["--canary", "99%"]);
    let file = hostile_file("version_two");
    let file = file.to_string_lossy();
    relay.json(&["policy", "activate", &file, "--name", "guest"]);
    for _ in 0..2 {
        for correspondent in 0..5 {
            let sent = sent(&relay, &sink, correspondent, &with_behaviour("rejects"));
            assert_eq!(sent.1.as_deref(), Some("two"));
        }
        let shown = details(&relay);
        assert_eq!(shown["rollout"], Value::Null);
        assert_eq!(shown["ended"][0]["end"], "replaced");
        crashes(&mut relay);
    }
    for steps in ["5,1", "100", "0,5"] {
        let file = hostile_file("candidate");
        let file = file.to_string_lossy();
        let arguments = [
            "policy", "activate", &file, "--name", "guest", "--steps", steps,
        ];
        let error = relay.refuses(&arguments);
        assert!(error.contains("the steps are to grow"), "{error}");
    }
    let error = relay.refuses(&["policy", "promote", "guest"]);
    assert!(error.contains("no version of it is under trial"), "{error}");
    relay.leaves_nothing(sink);
}
