//! `gatepost config check` reads the configuration as the relay would, policies included, and says
//! what is wrong, where, and what to do.

use serde_json::Value;
use test_support::{RelayBuilder, Sink, run};

use crate::CHAIN;

#[test]
fn a_valid_configuration_is_summed_up() {
    let sink = Sink::start();
    let good = RelayBuilder::usual(sink.address()).replace(CHAIN, r#"chain = ["loop-guard"]"#);
    let (code, lines) = check(&good, &["--json"]);
    assert_eq!(code, 0, "{lines}");
    let summary: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!(
        summary["listeners"],
        serde_json::json!(["mx", "submission"])
    );
    assert_eq!(summary["accounts"], 1);
    let policies = summary["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0]["policy"], "loop-guard");
    assert_eq!(policies[0]["digest"].as_str().unwrap().len(), 64);
}

#[test]
fn every_problem_is_shown_with_its_place() {
    let sink = Sink::start();
    let bad = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\ntls = \"none\"",
        )
        .replace(
            r#"domains = ["desk.example"]"#,
            r#"domains = ["desk.example", "desk.example"]"#,
        )
        .replace(CHAIN, r#"chain = ["loop-guard", "spam-guard"]"#);
    let (code, lines) = check(&bad, &["--json"]);
    assert_eq!(code, 1, "{lines}");
    let problems: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // The domain, and a policy that there is not in either of two chains.
    assert_eq!(problems.len(), 3, "{problems:#?}");
    for problem in &problems {
        assert!(problem["line"].is_u64(), "{problem}");
    }
    let messages = lines.as_str();
    assert!(
        messages.contains("desk.example already belongs"),
        "{messages}"
    );
    assert!(messages.contains("there is no policy"), "{messages}");

    let (code, told) = check(&bad, &[]);
    assert_eq!(code, 1);
    for words in [
        "gatepost.toml",
        "a chain names a [[policy]] of this file or a built-in one",
    ] {
        assert!(told.contains(words), "{words} is not in\n{told}");
    }
}

#[test]
fn a_configuration_with_unusable_policies_is_invalid() {
    let sink = Sink::start();
    let settings =
        "[[policy]]\nname = \"loop-guard\"\nbuiltin = \"loop-guard\"\nsettings = { hop-limit = 0 }";
    let bad = RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["loop-guard"]"#)
        .with(settings);
    let (code, lines) = check(&bad, &["--json"]);
    assert_eq!(code, 1, "{lines}");
    let problem: Value = serde_json::from_str(&lines).unwrap();
    let message = problem["message"].as_str().unwrap();
    assert!(message.contains("policy \"loop-guard\""), "{message}");
    assert!(message.contains("/hop-limit: 0 is less than"), "{message}");
}

/// Exit code, and all that is said.
fn check(config: &RelayBuilder, arguments: &[&str]) -> (i32, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = config.write(directory.path());
    let file = file.to_string_lossy();
    let output = run(&[&["config", "check", "--config", &file], arguments].concat());
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (output.status.code().unwrap(), said)
}
