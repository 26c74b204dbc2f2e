//! Mail that every large server takes is taken: the messages found to be refused, where they are at
//! hand, and what is like them.

use std::path::PathBuf;

use serde_json::Value;
use test_support::{say, workspace};

/// Returns the reports of `gatepost check` on messages to the desk.
fn checked(files: &[PathBuf]) -> Vec<Value> {
    let files: Vec<_> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let arguments = ["check", "--json", "--rcpt-to", "support@acme.example"];
    let arguments = arguments
        .into_iter()
        .chain(files.iter().map(String::as_str));
    let output = test_support::run(&arguments.collect::<Vec<_>>());
    assert!(output.status.success(), "{output:?}");
    let lines = str::from_utf8(&output.stdout).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn accepted(report: &Value, what: &str) {
    assert_eq!(report["verdict"], "accept", "{what}: {report}");
    let policies = report["policies"].as_array().unwrap();
    assert!(
        policies.iter().all(|call| call["error"].is_null()),
        "{what}: {report}"
    );
}

#[test]
fn the_messages_that_were_found_refused_are_accepted() {
    let found = std::env::var_os("GATEPOST_FOUND")
        .map_or_else(|| workspace().join("../shared/found"), PathBuf::from);
    if !found.is_dir() {
        return say("SKIPPED: the messages found are not at hand (set GATEPOST_FOUND)");
    }
    let names = [
        "bounce-long-line",
        "person-html-line-999",
        "person-bare-cr",
        "person-bom",
        "person-two-dates",
        "person-two-references",
        "form-php-two-to",
    ];
    let files = names.map(|name| found.join(format!("mail/{name}.eml")));
    for (name, report) in names.iter().zip(checked(&files)) {
        accepted(&report, name);
    }
}

#[test]
fn similar_messages_and_a_much_repeated_recipient_are_accepted() {
    let rest = "From: Maria Keller <maria@keller.example>\r\nSubject: Cannot log in\r\n\
        Date: Tue, 3 Mar 2026 09:14:07 +0100\r\nMessage-ID: <1@keller.example>\r\n";
    let often = |joint: &str| vec!["support@acme.example"; 6000].join(joint);
    let cases = [
        (
            "a long field",
            format!("X-Long: {}\r\n", "x".repeat(60_000)),
        ),
        (
            "a recipient often, folded",
            format!("To: {}\r\n", often(",\r\n ")),
        ),
        (
            "a recipient often, in fields",
            "To: support@acme.example\r\n".repeat(1500),
        ),
        (
            "two message ids",
            "Message-ID: <2@keller.example>\r\n".to_owned(),
        ),
        (
            "two of a thread",
            "In-Reply-To: <a@x.example>\r\nIn-Reply-To: <b@x.example>\r\n".to_owned(),
        ),
        (
            "two to answer to",
            "Reply-To: a@x.example\r\nReply-To: <A@x.example>\r\n".to_owned(),
        ),
        (
            "two Cc",
            "Cc: a@x.example\r\nCc: b@x.example\r\n".to_owned(),
        ),
        (
            "fields left empty",
            "Cc:\r\nBcc:\r\nReply-To:\r\nReferences:\r\n".to_owned(),
        ),
        (
            "dots and an underscore",
            "Cc: a..b.@my_host.example\r\n".to_owned(),
        ),
    ];
    let directory = tempfile::tempdir().unwrap();
    let files = cases.iter().enumerate().map(|(at, (_, fields))| {
        let file = directory.path().join(format!("{at}.eml"));
        std::fs::write(&file, format!("{fields}{rest}\r\nPlease have a look.\r\n")).unwrap();
        file
    });
    let files: Vec<_> = files.collect();
    for ((what, _), report) in cases.iter().zip(checked(&files)) {
        accepted(&report, what);
    }
}
