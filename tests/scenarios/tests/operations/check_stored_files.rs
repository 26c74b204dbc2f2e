//! `gatepost check` reads messages as they are stored: with LF, with CRLF, with the `From ` line
//! of a mailbox in front. All are the same message.

use std::fs;

use serde_json::Value;
use test_support::run;

use crate::{all, without_policies};

const STORED: &str = "From: Ann <ann@sender.example>\n\
    To: x@desk.example, z@elsewhere.example\n\
    Subject: hello\n\
    \n\
    From here on it is the body\n";

#[test]
fn line_ends_and_the_line_of_a_mailbox_make_no_difference() {
    let directory = tempfile::tempdir().unwrap();
    let with_crlf = STORED.replace('\n', "\r\n");
    let in_mailbox = format!("From ann@sender.example Mon Mar  2 09:12:44 2026\n{STORED}");
    let config = without_policies(directory.path());
    let mut arguments = vec!["check".to_owned(), "--json".to_owned()];
    arguments.extend(["--config".to_owned(), config.display().to_string()]);
    for (name, text) in [
        ("lf.eml", STORED),
        ("crlf.eml", &with_crlf),
        ("mbox.eml", &in_mailbox),
    ] {
        let file = directory.path().join(name);
        fs::write(&file, text).unwrap();
        arguments.push(file.display().to_string());
    }
    let output = directory.path().join("output");
    arguments.extend(["--output".to_owned(), output.display().to_string()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let reports = run(&arguments);
    assert!(reports.status.success(), "{reports:?}");
    let reports = String::from_utf8(reports.stdout).unwrap();
    for report in reports.lines() {
        let report: Value = serde_json::from_str(report).unwrap();
        assert_eq!(report["verdict"], "accept", "{report}");
        // Envelope and all come from the header, which the `From ` line would have hidden.
        let recipients = report["recipients"].as_array().unwrap();
        assert_eq!(all(recipients, "address"), ["x@desk.example"]);
    }
    assert_eq!(reports.lines().count(), 3);
    for name in ["lf.eml", "crlf.eml", "mbox.eml"] {
        let written = fs::read_to_string(output.join(name)).unwrap();
        let (trace_field, rest) = written.split_once("From: ").unwrap();
        assert!(trace_field.starts_with("Received: from "), "{name}");
        assert_eq!(format!("From: {rest}"), with_crlf, "{name}");
    }
}
