//! `gatepost check` says how RCPT of a submission would be answered by the suppression list and by
//! caps, and changes nothing.

use std::fs;

use serde_json::Value;
use test_support::Relay;

use crate::{MESSAGE, relay, submit};

/// Checks the message from the user of the account, to these recipients.
fn check(relay: &Relay, to: &[&str]) -> Value {
    let file = relay.directory().join("message.eml");
    fs::write(&file, MESSAGE).unwrap();
    let mut arguments = vec!["check", "--listener", "submission", "--auth-user", "user"];
    arguments.extend(["--mail-from", "ann@sender.example"]);
    for address in to {
        arguments.extend(["--rcpt-to", address]);
    }
    arguments.push(file.to_str().unwrap());
    relay.json(&arguments).remove(0)
}

#[test]
fn check_knows_the_suppression_list_and_caps() {
    let (builder, sink) = relay("");
    let mut relay = builder.start();
    let (bob, eve) = ("bob@elsewhere.example", "eve@elsewhere.example");
    let add = ["suppression", "add", "acme", bob, "--reason", "asked us"];
    relay.json(&add);
    let checked = check(&relay, &[bob, eve]);
    assert_eq!(checked["verdict"], "accept", "{checked}");
    let recipients = checked["recipients"].as_array().unwrap();
    let of = |address: &str| {
        recipients
            .iter()
            .find(|of| of["address"] == address)
            .unwrap()
    };
    let reason = of(bob)["reason"].as_str().unwrap();
    let live = submit(&relay, bob).text();
    let words = live.rsplit_once(" (").map_or(&*live, |(words, _)| words);
    assert!(reason.contains("asked us"), "{reason}");
    assert!(
        words.contains("asked us") && reason.contains("is on the suppression list"),
        "{live}"
    );
    assert_eq!(of(eve)["verdict"], "accept", "{checked}");
    let checked = check(&relay, &[bob]);
    assert_eq!(checked["verdict"], "reject", "{checked}");

    // Nothing of it was counted.
    relay.json(&["account", "caps", "acme", "--messages-an-hour", "1"]);
    assert_eq!(check(&relay, &[eve])["verdict"], "accept");
    assert_eq!(submit(&relay, eve).code, 250);
    sink.take();
    let checked = check(&relay, &[eve]);
    assert_eq!(checked["verdict"], "tempfail", "{checked}");
    assert!(
        checked["reply"].to_string().contains("has sent 1 messages"),
        "{checked}"
    );

    // Without a relay nothing is known of them, and a line says so.
    assert!(relay.terminate().success());
    let file = relay.directory().join("message.eml");
    let arguments = ["check", "--listener", "submission", "--auth-user", "user"];
    let alone =
        relay.command(&[&arguments[..], &["--rcpt-to", eve, file.to_str().unwrap()]].concat());
    let errors = String::from_utf8_lossy(&alone.stderr);
    assert!(
        errors.contains("judging without caps and suppression list"),
        "{errors}"
    );
    relay.restart();
    relay.leaves_nothing(sink);
}
