//! Each key of `[connection.NAME]` and of its `limits` in docs/configuration.md stands in a
//! scenario of this group, as a key of a connection.

use std::fs;
use std::path::{Path, PathBuf};

use test_support::workspace;

#[test]
fn each_option_of_a_connection_has_a_scenario() {
    let page = fs::read_to_string(workspace().join("docs/configuration.md")).unwrap();
    let mut keys = keys(&page, "## `[connection.name]`");
    assert!(keys.contains(&"host".to_owned()), "{keys:?}");
    let limits = self::keys(&page, "### `limits`");
    assert!(limits.contains(&"recipients".to_owned()), "{limits:?}");
    keys.extend(limits);
    let texts: Vec<_> = files(&workspace().join("tests/scenarios/tests/connections"))
        .iter()
        .filter(|file| !file.ends_with("every_option.rs"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let missing: Vec<_> = keys
        .iter()
        .filter(|key| !texts.iter().any(|text| has_key(text, key)))
        .collect();
    assert!(missing.is_empty(), "no scenario has {missing:?}");
}

/// The first column of the table below a heading.
fn keys(page: &str, heading: &str) -> Vec<String> {
    let at = page.find(heading).unwrap() + heading.len();
    let section = page[at..].split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned())
        .collect()
}

/// Returns true if a text gives a value to the key.
fn has_key(text: &str, key: &str) -> bool {
    text.match_indices(&format!("{key} = ")).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '-' && c != '_')
            // The end of an escaped line break.
            || text[..at].ends_with("\\n")
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let files = entries.flat_map(|entry| match entry.file_type().unwrap().is_dir() {
        true => files(&entry.path()),
        false => vec![entry.path()],
    });
    files.collect()
}
