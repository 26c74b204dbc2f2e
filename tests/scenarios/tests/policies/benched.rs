//! `gatepost policy bench`: what each hook of a policy costs.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use test_support::run;

fn bench(module: &str, corpus: &Path, arguments: &[&str]) -> Output {
    let corpus = corpus.to_string_lossy();
    run(&[&["policy", "bench", module, "--corpus", &corpus], arguments].concat())
}

fn fill(folder: &Path) {
    for (name, to) in [
        ("a", "help@desk.example"),
        ("b", "b@desk.example, c@desk.example"),
    ] {
        let eml = format!("From: ann@sender.example\nTo: {to}\nSubject: {name}\n\nHello!\n");
        fs::write(folder.join(name).with_extension("eml"), eml).unwrap();
    }
    fs::write(folder.join("notes.txt"), "no message").unwrap();
}

#[test]
fn each_hook_has_its_figures() {
    let corpus = tempfile::tempdir().unwrap();
    fill(corpus.path());
    let figures = || {
        let output = bench("loop-guard", corpus.path(), &["--json"]);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.collect::<Vec<_>>()
    };
    let hooks = figures();
    let message = hooks.iter().find(|of| of["hook"] == "message").unwrap();
    assert_eq!(message["calls"], 2);
    assert_eq!(message["faults"], 0);
    let number = |name: &str| message[name].as_u64().unwrap();
    assert!(number("p50-micros") > 0);
    assert!(number("p50-micros") <= number("p99-micros"));
    assert!(number("p99-micros") <= number("max-micros"));
    assert!(number("median-host-calls") >= 1);
    assert!(number("median-host-calls") <= number("max-host-calls"));
    assert!(number("peak-memory") >= 65_536);
    // All but the times is the same in each run.
    let without_times = |mut hooks: Vec<Value>| {
        for of in &mut hooks {
            for name in ["p50-micros", "p99-micros", "max-micros"] {
                of[name] = Value::Null;
            }
        }
        hooks
    };
    assert_eq!(without_times(hooks), without_times(figures()));

    let output = bench("outbound-route", corpus.path(), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("outbound-route (built in) on 2 messages, one call after another"),
        "{text}"
    );
    let route = text
        .lines()
        .find(|line| line.starts_with("route "))
        .unwrap();
    assert_eq!(
        route.split_whitespace().nth(1),
        Some("3"),
        "one for each recipient: {text}"
    );
}

#[test]
fn what_cannot_be_measured_is_told() {
    let corpus = tempfile::tempdir().unwrap();
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let output = bench("loop-guard", corpus.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told(&output).contains("has no messages"),
        "{}",
        told(&output)
    );

    fill(corpus.path());
    fs::create_dir(corpus.path().join("folder.eml")).unwrap();
    let output = bench("loop-guard", corpus.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("folder.eml"), "{}", told(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("on 2 messages"),
        "the others are measured: {text}"
    );

    let settings = corpus.path().join("settings.json");
    fs::write(&settings, "{ \"nothing\": 1 }").unwrap();
    let settings = settings.to_string_lossy();
    for (module, arguments, problem) in [
        ("no-such.wasm", &[][..], "cannot read no-such.wasm"),
        (
            "loop-guard",
            &["--settings", &settings],
            "the settings are not valid",
        ),
        (
            "loop-guard",
            &["--settings", "no-such.json"],
            "cannot read the settings no-such.json",
        ),
    ] {
        let output = bench(module, corpus.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{module}");
        assert!(told(&output).contains(problem), "{}", told(&output));
    }
    let output = bench("loop-guard", &corpus.path().join("nowhere"), &[]);
    assert!(told(&output).contains("nowhere"), "{}", told(&output));
}
