//! `gatepost policy rollback` means the candidate: it drops one that is under trial, and takes nothing
//! away when a threshold has been quicker.

use test_support::{Relay, Sink, hostile_file};

use crate::rollout_support::{crashes, details, sent, tried, with_behaviour};
use crate::{Guest, status};

fn printed(relay: &Relay, arguments: &[&str]) -> String {
    let output = relay.command(arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_rollback_after_a_canary_leaves_the_good_version() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    let one = status(&relay, "guest")["digest"].take();
    let two = hostile_file("version_two");
    let activate = [
        "policy",
        "activate",
        &two.to_string_lossy(),
        "--name",
        "guest",
    ];
    let two = relay.json(&activate).remove(0)["new"].take();
    let since = status(&relay, "guest")["active-since"].take();

    // Its log lines say that the candidate has written them.
    let canary = ["--canary", "99%", "--max-faults", "any"];
    let begun = tried(&relay, &canary);
    let candidate = begun["rollout"]["digest"].as_str().unwrap()[..12].to_owned();
    for correspondent in 0..5 {
        sent(&relay, &sink, correspondent, &with_behaviour("traps"));
    }
    let line = relay.logged("the candidate fails");
    assert!(line.contains("candidate=true"), "{line}");
    assert!(line.contains(&format!("digest=\"{candidate}\"")), "{line}");

    // Figures begin anew with the process.
    crashes(&mut relay);
    let shown = printed(&relay, &["policy", "status", "guest"]);
    assert!(
        shown.contains("counted since the relay's start at"),
        "{shown}"
    );
    assert_eq!(status(&relay, "guest")["active-since"], since);
    let dropped = printed(&relay, &["policy", "rollback", "guest"]);
    assert!(
        dropped.contains(&format!("guest: candidate {candidate}"))
            && dropped.contains("is dropped")
            && dropped.contains("stays active"),
        "{dropped}"
    );

    // This time a threshold is quicker.
    tried(&relay, &canary);
    let mut correspondents = 0..150;
    relay.eventually("it is rolled back", |relay| {
        let correspondent = correspondents.next().unwrap();
        sent(relay, &sink, correspondent, &with_behaviour("rejects"));
        details(relay)["rollout"].is_null().then_some(())
    });
    let refused = relay.refuses(&["policy", "rollback", "guest"]);
    for words in [
        "nothing is under trial",
        "verdicts changed, more than 1%",
        &format!("--to {}", &one.as_str().unwrap()[..12]),
    ] {
        assert!(refused.contains(words), "{refused}");
    }
    assert_eq!(status(&relay, "guest")["digest"], two);
    let again = printed(&relay, &activate);
    assert!(again.contains("is active already, since"), "{again}");
    assert_eq!(status(&relay, "guest")["active-since"], since);

    // A version that is named is meant.
    let named = &one.as_str().unwrap()[..12];
    let back = relay.json(&["policy", "rollback", "guest", "--to", named]);
    assert_eq!(back[0]["new"], one);
    let undone = printed(&relay, &["policy", "rollback", "guest"]);
    assert!(undone.contains("which was rolled back at"), "{undone}");
    assert_eq!(status(&relay, "guest")["digest"], two);
    relay.leaves_nothing(sink);
}
