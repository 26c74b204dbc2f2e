//! A bad new version is rolled back by its thresholds: wrong verdicts, faults, slowness, a flooded log.
//! No message outside of its share is decided wrongly, none at all where it fails, and none after.

use serde_json::Value;
use test_support::Sink;

use crate::rollout_support::{crashes, details, sent, told, tried, with_behaviour};
use crate::{Guest, status};

/// Far more messages than it takes.
const MOST: usize = 150;

/// Sends mail on which the candidate misbehaves until it is rolled back. Returns the number of
/// refused messages.
fn rolled_back(behaviour: &str, options: &[&str], reason: &str) -> usize {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    let one = status(&relay, "guest")["digest"].take();
    let begun = tried(&relay, &[&["--canary", "70%"], options].concat());
    let candidate = &begun["rollout"]["digest"];
    let message = with_behaviour(behaviour);
    let mut refused = 0;
    let ended = (0..MOST).find_map(|correspondent| {
        let (reply, _) = sent(&relay, &sink, correspondent, &message);
        if reply.code != 250 {
            refused += 1;
            let judgements = relay.judgements(&reply.transaction());
            assert_eq!(&judgements[0]["digest"], candidate, "outside of the share");
        }
        let shown = details(&relay);
        shown["ended"].as_array().unwrap().first().cloned()
    });
    let ended = ended.unwrap_or_else(|| panic!("it is not rolled back: {}", details(&relay)));
    assert_eq!(ended["end"], "rolled-back");
    let why = ended["reason"].as_str().unwrap();
    assert!(why.contains(reason), "{why}");
    let compared = ended["counts"]["compared"].as_u64().unwrap();
    assert!((30..=45).contains(&compared), "{ended}");
    let told = told(&relay);
    assert!(told.iter().any(|text| text.contains(why)), "{told:?}");
    relay.logged("rollout ended");

    // From now on the active version decides everything, also after a crash.
    for _ in 0..2 {
        for correspondent in 0..5 {
            let (_, version) = sent(&relay, &sink, correspondent, &message);
            assert_eq!(version.as_deref(), Some("one"));
        }
        let shown = details(&relay);
        assert_eq!((&shown["digest"], &shown["rollout"]), (&one, &Value::Null));
        crashes(&mut relay);
    }
    relay.leaves_nothing(sink);
    refused
}

#[test]
fn wrong_verdicts() {
    let refused = rolled_back("rejects", &[], "verdicts changed, more than 1%");
    assert!((30..=45).contains(&refused), "{refused}");
}

#[test]
fn faults() {
    let reason = "calls failed where the active version did not, more than 0.1%";
    assert_eq!(rolled_back("traps", &[], reason), 0);
}

#[test]
fn slowness() {
    let options = ["--slower-than", "1ms", "--max-faults", "any"];
    let reason = "calls were slow, more than 1%";
    assert_eq!(rolled_back("slow", &options, reason), 0);
}

#[test]
fn a_flooded_log() {
    let reason = "calls flooded the log, more than 1%";
    assert_eq!(rolled_back("floods", &["--max-slow", "any"], reason), 0);
}
