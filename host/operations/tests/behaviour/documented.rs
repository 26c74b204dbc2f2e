//! The page on operations has every operation, every code and every kind, and no others.

use std::path::Path;

use gatepost_operations::{Code, ErrorKind, NAMES};

/// Returns the rows of the page's table with this heading, cell by cell.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let lines = page.lines().skip_while(|line| !line.starts_with(heading));
    let lines = lines.skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let line = line.strip_prefix("| ")?.strip_suffix(" |")?;
        Some(line.split(" | ").map(str::to_owned).collect())
    };
    lines.map(|line| cells(line).unwrap()).collect()
}

#[test]
fn every_code_is_described_and_no_other() {
    let described: Vec<_> = (rows("| Code |").into_iter())
        .map(|row| {
            let [code, kind, _, what_to_do] = row.try_into().unwrap();
            [code, kind, what_to_do]
        })
        .collect();
    let codes: Vec<_> = Code::ALL
        .iter()
        .map(|code| {
            let kind = code.kind().word();
            let what_to_do = code.what_to_do().to_owned();
            [format!("`{code}`"), format!("`{kind}`"), what_to_do]
        })
        .collect();
    assert_eq!(described, codes);
}

#[test]
fn every_operation_is_described_and_no_other() {
    let described = rows("| Operation |").into_iter();
    let described: Vec<_> = described.map(|row| row[0].clone()).collect();
    let names: Vec<_> = NAMES.iter().map(|name| format!("`{name}`")).collect();
    assert_eq!(described, names);
}

#[test]
fn no_code_stands_for_two_errors() {
    let mut words: Vec<_> = Code::ALL.iter().map(|code| code.word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Code::ALL.len());
}

#[test]
fn every_kind_is_described_with_its_status() {
    let kinds = [
        ErrorKind::Unauthorized,
        ErrorKind::Forbidden,
        ErrorKind::Unknown,
        ErrorKind::Conflict,
        ErrorKind::Refused,
        ErrorKind::Busy,
        ErrorKind::Unavailable,
        ErrorKind::Internal,
    ];
    let described = rows("| Kind |").into_iter();
    let described = described.map(|row| [row[0].clone(), row[2].clone()]);
    let kinds = kinds.map(|kind| {
        [
            format!("`{}`", kind.word()),
            kind.status().as_str().to_owned(),
        ]
    });
    assert_eq!(described.collect::<Vec<_>>(), kinds);
}
