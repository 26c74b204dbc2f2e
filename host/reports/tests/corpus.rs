//! The project's own corpus: one message a file, and beside it what is to be read of it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ExpectedReport {
    /// Word of the kind, or `none`.
    kind: String,
    message_id: Option<String>,
    feedback_type: Option<String>,
    #[serde(default)]
    recipient: Vec<ExpectedRecipient>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct ExpectedRecipient {
    address: String,
    action: Option<String>,
    status: Option<String>,
}

#[test]
fn each_form_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/reports");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|of| of == "eml"))
        .collect();
    files.sort();
    assert!(files.len() > 60, "{} messages in {folder:?}", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let raw = fs::read(&file).unwrap();
        let expected = fs::read_to_string(file.with_extension("toml")).unwrap();
        let expected: ExpectedReport = toml::from_str(&expected).unwrap();
        for (ends, raw) in [("LF", raw.clone()), ("CRLF", with_crlf(&raw))] {
            let difference = difference(&expected, &raw);
            wrong.extend(difference.map(|of| format!("{} ({ends}): {of}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    text.replace('\n', "\r\n").into_bytes()
}

fn difference(expected: &ExpectedReport, raw: &[u8]) -> Option<String> {
    let Some(report) = gatepost_reports::read(raw, false) else {
        return (expected.kind != "none").then(|| "no report".to_owned());
    };
    let recipients: Vec<ExpectedRecipient> = report
        .recipients
        .iter()
        .map(|of| ExpectedRecipient {
            address: of
                .last
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            action: of.action.map(|action| action.word().to_owned()),
            status: of.status.map(|status| status.to_string()),
        })
        .collect();
    let same = report.kind.word() == expected.kind
        && report.returned.message_id() == expected.message_id
        && report.feedback_type == expected.feedback_type
        && recipients == expected.recipient;
    (!same).then(|| format!("{report:?}"))
}
