//! `gatepost check` on many messages: read ahead, judged one after another, printed in order.

use std::fs;

use serde_json::Value;
use test_support::{RelayBuilder, hostile_file, run};

/// More than wait between two stages.
const MESSAGES: usize = 300;

/// The policy `marks` remembers the Message-ID, and tags a message whose id it has seen.
#[test]
fn what_one_message_leaves_is_seen_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let relay = RelayBuilder::fixtures(nowhere, nowhere).judged_by(
        "guest",
        &hostile_file("marks"),
        "settings = { version = \"7\" }\n",
    );
    let config = relay.write(folder.path()).display().to_string();
    // Every message comes twice, one after another; one in the middle cannot be read.
    let mut files = Vec::new();
    for number in 0..MESSAGES / 2 {
        let file = folder.path().join(format!("{number:03}.eml"));
        let eml = format!(
            "From: ann@sender.example\nTo: help@desk.example\nMessage-ID: <{number}@sender.example>\n\nHello!\n"
        );
        fs::write(&file, eml).unwrap();
        let file = file.display().to_string();
        files.extend([file.clone(), file]);
    }
    let missing = folder.path().join("missing.eml").display().to_string();
    let mut arguments = vec![
        "check",
        "--json",
        "--config",
        &config,
        "--listener",
        "guest",
    ];
    arguments.extend(files.iter().map(String::as_str));
    arguments.insert(6 + MESSAGES / 2, &missing);
    let output = run(&arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("cannot read ") && errors.contains("missing.eml"),
        "{errors}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let reports: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let order: Vec<_> = reports
        .iter()
        .map(|report| report["file"].as_str().unwrap())
        .collect();
    assert_eq!(order, files);
    for (at, report) in reports.iter().enumerate() {
        let tags = report["tags"].as_array().unwrap();
        let is_seen = tags.iter().any(|tag| tag == "seen-before");
        assert_eq!(is_seen, at % 2 == 1, "{report}");
    }
}
