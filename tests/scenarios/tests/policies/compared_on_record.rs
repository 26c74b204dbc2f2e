//! `gatepost policy diff` tells what a new version would have decided on recorded mail.

use std::fs;

use serde_json::Value;
use test_support::{Relay, Sink, hostile_file};

use crate::{ATTACK, Guest, INNOCENT, send};

const RECORD: &str = "[record]\nbodies = true";

/// Compares version one, in words. Returns the exit code, what is printed, and the errors on one line.
fn diff_in_words(relay: &Relay, example: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let file = hostile_file(example);
    let file = file.to_string_lossy();
    let diff = ["policy", "diff", &file, "--name", "guest"];
    let output = relay.command(&[&diff[..], more].concat());
    let errors = String::from_utf8_lossy(&output.stderr).replace('│', " ");
    let errors: Vec<_> = errors.split_whitespace().collect();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text, errors.join(" "))
}

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
    // All else is the same on every run; one message is not timed.
    let seconds = found.as_object_mut().unwrap().remove("seconds");
    assert_eq!(seconds.is_some(), found["message"].is_null(), "{found}");
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
    let (code, found) = diff(&relay, "version_two", &["--account", "other"]);
    assert_eq!((code, &found["compared"]), (Some(0), &Value::from(0)));
    let nothing = found["nothing-compared"].as_str().unwrap();
    assert!(nothing.contains("account other is not known"), "{nothing}");
    // What was not compared is not good.
    let later = ["--since", "2100-01-01T00:00:00Z"];
    for (of, why) in [
        (["--account", "other"], "account other is not known"),
        (later, "no entry since 2100-"),
    ] {
        let (code, text, _) = diff_in_words(&relay, "version_two", &of);
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains("nothing was compared: ") && text.contains(why),
            "{text}"
        );
        assert!(!text.contains("decide the same"), "{text}");
        let fail_on = [&of[..], &["--fail-on", "verdict"]].concat();
        assert_eq!(diff(&relay, "version_two", &fail_on).0, Some(1));
    }

    let one = ["--message", &ids[0]];
    let (code, text, _) = diff_in_words(&relay, "version_two", &one);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("-X-Version: one") && text.contains("+X-Version: two"),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let starred: Vec<_> = text.lines().filter(|line| line.starts_with('*')).collect();
    assert_eq!(starred.len(), 2, "edits and reasons: {text}");
    let (code, found) = diff(
        &relay,
        "version_two",
        &[&one[..], &["--fail-on", "edits"]].concat(),
    );
    assert_eq!(
        (code, &found["entries"][0]["compared"]),
        (Some(1), &true.into())
    );
    let other = ["--message", "00000000-0000-7000-8000-000000000000"];
    let (code, _, error) = diff_in_words(&relay, "version_two", &other);
    assert_eq!(code, Some(1));
    assert!(
        error.contains("has no transaction") && error.contains("sample"),
        "{error}"
    );
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

/// A version that reads bodies has no decision where the record has none.
#[test]
fn without_the_body_there_is_no_verdict() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).with("[record]").start();
    let id = send(&relay, ATTACK).transaction();
    sink.take();
    assert!(relay.terminate().success());

    let (code, found) = diff(&relay, "reads_body", &[]);
    assert_eq!(code, Some(0));
    assert_eq!(
        (&found["compared"], &found["without-body"]),
        (&0.into(), &1.into())
    );
    let nothing = found["nothing-compared"].as_str().unwrap();
    assert!(nothing.contains("reads the body"), "{nothing}");
    assert_eq!(diff(&relay, "reads_body", &["--fail-on", "any"]).0, Some(1));

    let one = ["--message", &id];
    let (code, text, _) = diff_in_words(&relay, "reads_body", &one);
    assert_eq!(code, Some(0), "{text}");
    let joined: Vec<_> = text.split_whitespace().collect();
    assert!(
        joined
            .join(" ")
            .contains("verdict accept not compared: the policy"),
        "{text}"
    );
    for of_the_fault in ["*", "tempfail", "451", "trap"] {
        assert!(!text.contains(of_the_fault), "{of_the_fault}: {text}");
    }
    let (_, found) = diff(&relay, "reads_body", &one);
    assert_eq!(found["entries"][0]["compared"], false, "{found}");
}

/// Each side can have settings of its own: an old module does not know the keys of a new one.
#[test]
fn each_side_may_have_settings_of_its_own() {
    let sink = Sink::start();
    let guest = Guest::new("origin");
    let settings = "[policy.settings]\ntoo-soon = \"nobody\"";
    let mut relay = guest.relay(&sink).with(settings).with(RECORD).start();
    send(&relay, INNOCENT);
    sink.take();
    assert!(relay.terminate().success());
    let none = relay.directory().join("none.json");
    fs::write(&none, "{}").unwrap();
    let (none, one) = (none.to_string_lossy(), hostile_file("version_one"));
    let one = one.to_string_lossy();

    let both = ["--against", &one, "--settings", &none];
    let (code, _, error) = diff_in_words(&relay, "version_two", &both);
    assert_eq!(code, Some(1));
    for part in [
        "the old version of guest cannot be used",
        "version_one.wasm",
        "the settings of the configuration",
        "too-soon",
        "--against-settings FILE",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(
        error.matches("the settings are not valid").count(),
        1,
        "{error}"
    );
    let (code, _, error) = diff_in_words(&relay, "version_two", &[]);
    assert_eq!(code, Some(1));
    assert!(
        error.contains("the new version of guest cannot be used"),
        "{error}"
    );
    assert!(error.contains("with --settings FILE"), "{error}");

    let all = [&both[..], &["--against-settings", &none]].concat();
    let (code, found) = diff(&relay, "version_two", &all);
    assert_eq!(code, Some(0), "{found}");
    assert_eq!(found["kinds"]["edits"], 1, "{found}");
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
    let file = format!("{folder}/b.eml");
    let one = ["--corpus", &folder, "--message", &file];
    let (code, text, _) = diff_in_words(&relay, "version_two", &one);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("+X-Version: two") && text.contains("b.eml\n"),
        "{text}"
    );
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
