//! `gatepost policy diff` tells what a new version would have decided on recorded mail.

use std::fs;

use serde_json::Value;
use test_support::{Relay, Sink, hostile_file};

use crate::{ATTACK, Guest, INNOCENT, send};

const RECORD: &str = "[record]\nbodies = true";

/// Compares version one, which is active, with another module.
fn diff(relay: &Relay, example: &str, more: &[&str]) -> (Option<i32>, Value) {
    let file = hostile_file(example);
    let file = file.to_string_lossy();
    let diff = ["policy", "diff", &file, "--name", "guest", "--json"];
    let output = relay.command(&[&diff[..], more].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let found = serde_json::from_str(&text);
    let mut found: Value = found.unwrap_or_else(|e| panic!("{e}: {text}{errors}"));
    // All else is the same on every run.
    assert!(found.as_object_mut().unwrap().remove("seconds").is_some());
    (output.status.code(), found)
}

#[test]
fn changes_are_counted_and_grouped_with_an_example() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).with(RECORD).start();
    let ids: Vec<_> = [INNOCENT, ATTACK, INNOCENT]
        .map(|message| send(&relay, message).transaction())
        .to_vec();
    for _ in &ids {
        sink.take();
    }
    assert!(relay.terminate().success());

    let (code, same) = diff(&relay, "version_one", &["--fail-on", "any"]);
    assert_eq!(
        (code, &same["changed"]),
        (Some(0), &Value::from(0)),
        "{same}"
    );
    let (code, found) = diff(&relay, "version_two", &["--fail-on", "verdict"]);
    assert_eq!(code, Some(0));
    assert_eq!(found["changed"], 3, "{found}");
    assert_eq!(found["kinds"]["edits"], 3);
    assert_eq!(found["kinds"]["verdict"], 0);
    let groups = found["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{found}");
    assert_eq!(groups[0]["count"], 3);
    assert_eq!(groups[0]["example"], *ids.iter().min().unwrap());
    assert_eq!(groups[0]["changes"][0]["what"], "-X-Version +X-Version");
    // The same on every run.
    let since = ["--since", "2026-01-01T00:00:00Z"];
    let once = diff(&relay, "version_two", &since);
    assert_eq!(diff(&relay, "version_two", &since), once);

    let (code, found) = diff(&relay, "version_two", &["--fail-on", "verdict,edits"]);
    assert_eq!((code, &found["changed"]), (Some(1), &Value::from(3)));
    let (_, found) = diff(&relay, "version_two", &["--account", "other"]);
    assert_eq!(found["compared"], 0);
    // A trap is a fault, and the verdict of a fault is another one.
    let (_, found) = diff(&relay, "trap", &[]);
    assert_eq!(found["kinds"]["faults"], 1, "{found}");
    assert_eq!(found["kinds"]["verdict"], 1, "{found}");

    let page = relay.directory().join("report.html");
    diff(&relay, "version_two", &["--html", &page.to_string_lossy()]);
    let page = fs::read_to_string(page).unwrap();
    assert!(
        page.contains("3 compared") && page.contains("X-Version"),
        "{page}"
    );
}

#[test]
fn nothing_is_recorded_unless_the_site_says_so() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    send(&relay, INNOCENT);
    sink.take();
    assert!(relay.terminate().success());
    let file = hostile_file("version_two");
    let output = relay.command(&["policy", "diff", &file.to_string_lossy(), "--name", "guest"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("no record") && error.contains("[record]"),
        "{error}"
    );
}

#[test]
fn a_folder_of_messages_takes_the_place_of_the_record() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    let corpus = relay.directory().join("corpus");
    fs::create_dir_all(corpus.join("more")).unwrap();
    for (name, message) in [
        ("a.eml", INNOCENT),
        ("b.eml", ATTACK),
        ("more/c.eml", INNOCENT),
    ] {
        fs::write(corpus.join(name), message).unwrap();
    }
    let folder = corpus.to_string_lossy();
    let (_, found) = diff(&relay, "version_two", &["--corpus", &folder]);
    assert_eq!(found["kinds"]["edits"], 3, "{found}");
    assert_eq!(found["groups"][0]["example"], format!("{folder}/a.eml"));
    fs::remove_dir_all(&corpus).unwrap();
    fs::create_dir(&corpus).unwrap();
    let file = hostile_file("version_two");
    let diff = [
        "policy",
        "diff",
        &file.to_string_lossy(),
        "--name",
        "guest",
        "--corpus",
        &folder,
    ];
    let output = relay.command(&diff);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("has no messages"), "{error}");
    relay.leaves_nothing(sink);
}
