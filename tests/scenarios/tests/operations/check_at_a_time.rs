//! `gatepost check --now` judges a message at a time of one's choosing, so that a decision can be
//! looked at again.

use std::fs;

use test_support::run;

use crate::without_policies;

#[test]
fn check_judges_at_the_time_that_is_set() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("old.eml");
    fs::write(&file, "Subject: old\n\nHello!\n").unwrap();
    let output = directory.path().join("output");
    let config = without_policies(directory.path());
    let said = run(&[
        "check",
        "--config",
        &config.to_string_lossy(),
        "--now",
        "2001-02-03T04:05:06+01:00",
        "--output",
        &output.to_string_lossy(),
        &file.to_string_lossy(),
    ]);
    assert!(said.status.success(), "{said:?}");
    let written = fs::read_to_string(output.join("old.eml")).unwrap();
    let (trace_field, _) = written.split_once("Subject: ").unwrap();
    assert!(
        trace_field.ends_with(";\r\n\tSat, 3 Feb 2001 03:05:06 +0000\r\n"),
        "{trace_field}"
    );

    let said = run(&["check", "--now", "yesterday", &file.to_string_lossy()]);
    assert_eq!(said.status.code(), Some(2), "{said:?}");
}
