//! `gatepost policy run`: one decision with all that led to it.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{hostile_file, run};

const EML: &str = "From: Ann <ann@sender.example>\nTo: help@desk.example\nSubject: a \u{1b}[2J\u{202e}b\nX-Desk-Verdict: fine\n\nHello!\n";

/// A folder with one message, and settings of header-guard.
struct Desk(TempDir);

impl Desk {
    fn new(action: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let settings = json!({ "rules": [{ "header": "X-Desk-Verdict", "action": action }] });
        fs::write(desk.path("stored.eml"), EML).unwrap();
        fs::write(desk.path("rules.json"), settings.to_string()).unwrap();
        let settings = format!("rules = [{{ header = \"X-Desk-Verdict\", action = {action:?} }}]");
        fs::write(desk.path("rules.toml"), settings).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let arguments = arguments
            .iter()
            .map(|argument| match argument.contains('.') {
                true => self.path(argument).to_string_lossy().into_owned(),
                false => (*argument).to_owned(),
            });
        let arguments: Vec<_> = ["policy".to_owned(), "run".to_owned()]
            .into_iter()
            .chain(arguments)
            .collect();
        run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn every_look_up_and_every_word_of_a_policy_is_told() {
    let desk = Desk::new("forbid");
    for settings in ["rules.json", "rules.toml"] {
        let arguments = ["--policy", "header-guard", "--settings", settings];
        let text = desk.told(&[&arguments[..], &["stored.eml"]].concat());
        assert!(
            text.contains("from <ann@sender.example> to <help@desk.example>, on the listener mx"),
            "{text}"
        );
        let call = text.find("header-guard ").unwrap();
        let looked_up = text.find("  message.header-chunk(0, ").unwrap();
        let said = text.find("  decision.reason(\"X-Desk-Verdict ").unwrap();
        let reason = text.find("  * reason: X-Desk-Verdict ").unwrap();
        let result = text.find("\nresult\n  reject: 550 5.7.1 ").unwrap();
        let order = [call, looked_up, said, reason, result];
        assert!(order.is_sorted(), "{text}");
        let answer = text[looked_up..].lines().next().unwrap();
        assert!(
            answer.contains(" octets: \"From: Ann <ann@sender.example>\\r\\n"),
            "{answer}"
        );
        assert!(answer.ends_with(" µs"), "{answer}");
        assert!(
            !text.contains("loop-guard "),
            "only the policy asked for: {text}"
        );
        assert!(
            text.chars()
                .all(|c| c == '\n' || c == '\t' || !c.is_control()),
            "{text:?}"
        );
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
}

#[test]
fn the_whole_chain_and_the_edits_are_told() {
    let text = Desk::new("strip").told(&[
        "--policy",
        "header-guard",
        "--settings",
        "rules.json",
        "stored.eml",
    ]);
    assert!(text.contains("  * edit: remove X-Desk-Verdict\n"), "{text}");
    let section = &text[text.find("\nheader section\n").unwrap()..];
    assert!(section.contains("\n  -X-Desk-Verdict: fine\n"), "{text}");
    assert!(section.contains("\n  +Received: from "), "{text}");
    assert!(section.contains("\n  accept: 250 2.6.0 "), "{text}");

    let text = Desk::new("strip").told(&["stored.eml"]);
    let policies = ["\nloop-guard ", "\nheader-guard ", "\noutbound-route "];
    let at = policies.map(|policy| text.find(policy).unwrap());
    assert!(at.is_sorted(), "{text}");
    assert!(
        text.contains("  * class: human, a machine must not reply\n"),
        "{text}"
    );
    assert!(text.contains("  * effect: counts 1 for "), "{text}");
}

#[test]
fn a_script_reads_one_object() {
    let desk = Desk::new("forbid");
    let text = desk.told(&[
        "--json",
        "--policy",
        "header-guard",
        "--settings",
        "rules.json",
        "stored.eml",
    ]);
    let story: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(story["verdict"], "reject");
    let [call] = story["calls"].as_array().unwrap().as_slice() else {
        panic!("{text}");
    };
    assert_eq!(call["policy"], "header-guard");
    assert_eq!(call["hook"], "message");
    assert!(call["with"].as_str().unwrap().starts_with("550 5.7.1 "));
    assert!(call["memory"].as_u64().unwrap() >= 65_536);
    let calls = call["host-calls"].as_array().unwrap();
    let chunk = calls
        .iter()
        .find(|of| of["function"] == "header-chunk")
        .unwrap();
    assert_eq!(chunk["interface"], "message");
    assert_eq!(chunk["arguments"]["offset"], 0);
    let octets = chunk["answer"]["octets"].as_u64().unwrap();
    assert!(octets >= 100, "{chunk}");
    assert!(
        chunk["answer"]["begin"]
            .as_str()
            .unwrap()
            .contains("\u{1b}[2J")
    );
    assert!(chunk["nanos"].is_u64());
    assert_eq!(call["more-host-calls"], 0);
}

#[test]
fn a_module_runs_alone_or_in_the_place_of_another() {
    let desk = Desk::new("forbid");
    fs::copy(hostile_file("asks_much"), desk.path("asks_much.wasm")).unwrap();
    let text = desk.told(&["--module", "asks_much.wasm", "stored.eml"]);
    assert!(text.contains("\nasks-much "), "{text}");
    assert!(!text.contains("loop-guard "), "{text}");
    let arguments = [
        "--policy",
        "header-guard",
        "--module",
        "asks_much.wasm",
        "stored.eml",
    ];
    let story: Value =
        serde_json::from_str(&desk.told(&[&["--json"], &arguments[..]].concat())).unwrap();
    let calls = story["calls"].as_array().unwrap();
    assert!(calls.iter().all(|call| call["policy"] == "header-guard"));
    assert!(
        calls.iter().any(|call| call["hook"] == "recipient"),
        "{story}"
    );
    let others = story["policies"].as_array().unwrap();
    assert!(
        others.iter().any(|call| call["name"] == "loop-guard"),
        "{story}"
    );
}

#[test]
fn what_cannot_be_told_is_refused_with_the_reason() {
    let desk = Desk::new("forbid");
    fs::write(desk.path("broken.json"), "{").unwrap();
    for (arguments, problem) in [
        (&["no-such.eml"][..], "no-such.eml"),
        (
            &["--policy", "nobody", "stored.eml"],
            "the configuration has no policy \"nobody\"",
        ),
        (
            &["--settings", "rules.json", "stored.eml"],
            "--settings does not say which policy",
        ),
        (
            &[
                "--policy",
                "header-guard",
                "--settings",
                "broken.json",
                "stored.eml",
            ],
            "cannot read the settings",
        ),
        (&["--module", "no-such.wasm", "stored.eml"], "no-such.wasm"),
        (
            &["--module", "stored.eml", "stored.eml"],
            "not a WebAssembly file",
        ),
        (
            &[
                "--policy",
                "inbound-auth",
                "--listener",
                "nowhere",
                "stored.eml",
            ],
            "the configuration has no listener \"nowhere\"",
        ),
    ] {
        let told = desk.refused(arguments);
        assert!(told.contains(problem), "{arguments:?}: {told}");
    }
}

/// The relay stores the effects of policies with the message, so not those of one that is refused.
#[test]
fn no_effect_is_told_of_a_refused_message() {
    for (action, verdict) in [("forbid", "reject"), ("strip", "accept")] {
        let desk = Desk::new(action);
        let settings = ["--policy", "header-guard", "--settings", "rules.json"];
        let text = desk.told(&[&settings[..], &["stored.eml"]].concat());
        let dropped = text.contains("no counts or marks are kept: the message is refused");
        assert_eq!(dropped, verdict == "reject", "{text}");
        let text = desk.told(&[&settings[..], &["--json", "stored.eml"]].concat());
        let story: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(story["verdict"], verdict);
        let effects = story["effects"].as_array().unwrap();
        assert_eq!(effects.is_empty(), verdict == "reject", "{text}");
    }
}
