//! Policies come, go and change places in a listener's chain, for the next transaction.

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Sink, hostile_file};

use super::changed;
use crate::{CHAIN, MESSAGE, accepted};

fn judged(relay: &Relay, sink: &Sink) -> Vec<String> {
    let id = accepted(relay, &["x@desk.example"], MESSAGE);
    sink.take();
    let judgements = relay.judgements(&id).into_iter();
    let of_message = judgements.filter(|judgement| judgement["hook"] == "message");
    of_message
        .map(|judgement| judgement["policy"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn chains_change_with_a_reload() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    assert_eq!(judged(&relay, &sink), ["loop-guard", "header-guard"]);

    let turned = builder
        .clone()
        .replace(CHAIN, "chain = [\"header-guard\", \"loop-guard\"]");
    let reloaded = relay.reloads(&turned);
    assert_eq!(
        changed(&reloaded),
        ["listener.mx.chain", "listener.submission.chain"]
    );
    assert_eq!(judged(&relay, &sink), ["header-guard", "loop-guard"]);

    let added = builder
        .replace(CHAIN, "chain = [\"guest\", \"loop-guard\"]")
        .with(&format!(
            "[[policy]]\nname = \"guest\"\nfile = {:?}",
            hostile_file("version_one")
        ));
    relay.reloads(&added);
    assert_eq!(judged(&relay, &sink), ["guest", "loop-guard"]);
    let policies = relay.json(&["policy", "list"]);
    let names: Vec<&Value> = policies.iter().map(|policy| &policy["policy"]).collect();
    assert_eq!(names, ["guest", "loop-guard"]);
    relay.leaves_nothing(sink);
}

/// A version that an operator has activated stays until the configuration names another module: a reload
/// that does so says it.
#[test]
fn a_version_activated_by_hand_is_named() {
    let sink = Sink::start();
    let builder = crate::judged_by("version_one", &sink);
    let relay = builder.clone().start();
    let two = hostile_file("version_two");
    relay.json(&[
        "policy",
        "activate",
        &two.to_string_lossy(),
        "--name",
        "guest",
    ]);
    let said = relay.json(&["reload"]).remove(0);
    assert_eq!(said["changes"].as_array().unwrap().len(), 0, "{said}");

    crate::judged_by("marks", &sink).write(relay.directory());
    let said = relay.json(&["reload", "--dry-run"]).remove(0);
    let changes = said["changes"].as_array().unwrap();
    let version = |change: &&Value| change["key"] == "policy.guest (version)";
    let change = changes.iter().find(version);
    let change = change.unwrap_or_else(|| panic!("{said}"));
    assert!(
        change["note"].as_str().unwrap().contains("by hand"),
        "{change}"
    );
    assert_eq!(said["applied"], false);
    relay.json(&["reload"]);
    let said = relay.json(&["reload"]).remove(0);
    assert_eq!(said["changes"].as_array().unwrap().len(), 0, "{said}");
    relay.leaves_nothing(sink);
}
