//! `gatepost check --output DIR` writes each message as it would be queued: edited, with the
//! relay's trace field on top; what would be refused is not written.

use std::fs;

use test_support::{RelayBuilder, Sink, run};

use crate::CHAIN;

const RULES: &str = r#"
[[policy]]
name = "header-guard"
builtin = "header-guard"
settings = { rules = [
    { header = "X-Internal", action = "strip" },
    { header = "X-Bad", action = "forbid" },
] }
"#;

#[test]
fn check_writes_the_message_as_it_would_be_queued() {
    let directory = tempfile::tempdir().unwrap();
    let nobody = Sink::start().address();
    let config = RelayBuilder::usual(nobody)
        .replace(CHAIN, r#"chain = ["header-guard"]"#)
        .with(RULES)
        .write(directory.path());
    let good = directory.path().join("good.eml");
    fs::write(
        &good,
        "X-Internal: secret\r\nSubject: good\r\n\r\nHello!\r\n",
    )
    .unwrap();
    let bad = directory.path().join("bad.eml");
    fs::write(&bad, "X-Bad: yes\r\nSubject: bad\r\n\r\nHello!\r\n").unwrap();
    let output = directory.path().join("output");
    let said = run(&[
        "check",
        "--config",
        &config.to_string_lossy(),
        "--mail-from",
        "ann@sender.example",
        "--rcpt-to",
        "x@desk.example",
        "--output",
        &output.to_string_lossy(),
        &good.to_string_lossy(),
        &bad.to_string_lossy(),
    ]);
    assert!(said.status.success(), "{said:?}");

    let names: Vec<_> = fs::read_dir(&output)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["good.eml"]);
    let written = fs::read_to_string(output.join("good.eml")).unwrap();
    // What policies say of it stands above the trace field.
    let reasons = "X-Gatepost-Reasons: header-guard: ";
    let (told, written) = written.split_once("\r\nReceived: ").unwrap();
    assert!(told.starts_with(reasons), "{told}");
    assert!(written.starts_with("from localhost ([127.0.0.1])\r\n\tby mx.desk.example"));
    assert!(written.contains("\tfor <x@desk.example>;\r\n"), "{written}");
    assert!(
        written.ends_with("+0000\r\nSubject: good\r\n\r\nHello!\r\n"),
        "{written}"
    );

    // For people, unless asked for JSON: what the client would be told, and why.
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("accept: 250 2.6.0 Queued as"), "{said}");
    assert!(said.contains("reject: 550 5.7.1 The header X-Bad is not allowed here"));
    assert!(said.contains("X-Bad is forbidden here"), "{said}");
    assert!(said.contains("header-guard remove X-Internal"), "{said}");
    // Nothing else is left: a check opens no store.
    assert!(!directory.path().join("store/spool.db").exists());
}
