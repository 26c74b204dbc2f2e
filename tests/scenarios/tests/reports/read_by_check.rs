//! `gatepost check` shows what a stored message says as a report.

use std::fs;

use serde_json::Value;
use test_support::run;

use crate::bounce;

#[test]
fn check_shows_the_report() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("bounce.eml");
    fs::write(&file, bounce("x@b.example")).unwrap();
    let path = file.to_str().unwrap();
    let output = run(&["check", "--json", "--mail-from", "", path]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = &shown["report"];
    assert_eq!(report["kind"], "failure", "{shown}");
    assert_eq!(report["recipient"], "x@b.example", "{shown}");
    assert_eq!(report["action"], "failed", "{shown}");
    assert_eq!(report["status"], "5.1.1", "{shown}");
    assert_eq!(
        report["diagnostic"], "550 5.1.1 nobody of that name",
        "{shown}"
    );
    assert_eq!(report["message"], "<ticket-1@desk.example>", "{shown}");
    assert_eq!(
        report["recipients"][0]["recipient"], "x@b.example",
        "{shown}"
    );
    let tags = shown["tags"].as_array().unwrap();
    assert!(tags.contains(&"report-failure".into()), "{shown}");

    let output = run(&["check", "--mail-from", "", path]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = "report: failure by mx.b.example about <ticket-1@desk.example>";
    assert!(text.contains(line), "{text}");
    assert!(
        text.contains("<x@b.example>: failed 5.1.1 550 5.1.1 nobody"),
        "{text}"
    );

    fs::write(
        &file,
        "From: ann@b.example\r\nSubject: hello\r\n\r\nHello!\r\n",
    )
    .unwrap();
    let output = run(&["check", "--json", path]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["report"], Value::Null, "{shown}");
}
