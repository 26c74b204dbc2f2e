//! Files of the store as they are on the disk: what they hold of a text, and its rows. Shared by the
//! scenarios of erasures.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rusqlite::{Connection, OpenFlags, types::ValueRef};
use test_support::{Relay, gatepost};

/// Returns every file of the store but compiled policies, which are no account's.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => all.extend(files(&entry.path())),
            (_, true) => all.push(entry.path()),
            _ => {}
        }
    }
    all
}

/// Returns the files that hold a text, in any case.
pub(super) fn holding(relay: &Relay, text: &str) -> Vec<PathBuf> {
    let store = relay.directory().join("store");
    let mut found = files(&store);
    found.retain(|file| {
        let octets = fs::read(file).unwrap_or_default().to_ascii_lowercase();
        let name = file.to_string_lossy().to_lowercase();
        let (text, length) = (text.as_bytes(), text.len());
        octets.windows(length).any(|part| part == text)
            || name.contains(std::str::from_utf8(text).unwrap())
    });
    found
}

/// Returns every row of every table of every database that has one of these texts.
pub(super) fn rows(relay: &Relay, texts: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in ["directory", "spool", "trace", "connections"] {
        let file = relay.directory().join(format!("store/{name}.db"));
        let database =
            Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let tables =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut tables = database.prepare(tables).unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        for table in tables.map(Result::unwrap) {
            let mut select = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = select.column_count();
            let mut all = select.query([]).unwrap();
            while let Some(row) = all.next().unwrap() {
                let cells = (0..columns).map(|at| match row.get_ref(at).unwrap() {
                    ValueRef::Null => "null".to_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    ValueRef::Blob(blob) => String::from_utf8_lossy(blob).into_owned(),
                });
                let cells = cells.collect::<Vec<_>>().join("|");
                let lower = cells.to_lowercase();
                if texts.iter().any(|text| lower.contains(text)) {
                    found.insert(format!("{name}.{table}: {cells}"));
                }
            }
        }
    }
    found
}

/// Returns the tables of which these rows are.
pub(super) fn tables(rows: &BTreeSet<String>) -> BTreeSet<&str> {
    rows.iter()
        .filter_map(|row| row.split(": ").next())
        .collect()
}

/// Has what is only in memory written: the uses of credentials, and the journal of the queue.
pub(super) fn settle(relay: &Relay) {
    relay.json(&["credential", "list"]);
    relay.json(&["queue", "list", "--messages"]);
    relay.json(&["events"]);
}

/// Answers the question of a command that erases something; returns the exit code, and all that it said.
pub(super) fn erase_by_hand(
    relay: &Relay,
    arguments: &[&str],
    typed: &str,
) -> (Option<i32>, String) {
    let config = relay.directory().join("gatepost.toml");
    let mut command = gatepost();
    command.args(arguments).arg("--config").arg(config);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{typed}").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}
