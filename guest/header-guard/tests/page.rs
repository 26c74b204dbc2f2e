//! The policy's documentation has the default of every setting.

use std::collections::BTreeSet;

use header_guard::{MarkSettings, Settings};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/header-guard.md");

/// Returns the rows of the table under a heading, without its head.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE
        .split_once(&format!("\n{heading}\n"))
        .expect("a heading");
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let lines = lines.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
    lines.map(cells).collect()
}

fn keys<T: schemars::JsonSchema>() -> BTreeSet<String> {
    let schema = schemars::schema_for!(T);
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect()
}

#[test]
fn every_setting_has_its_default_on_the_page() {
    let mut told = BTreeSet::new();
    for row in rows("## Settings") {
        let (key, default) = (row[0].trim_matches('`'), row[2].trim_matches('`'));
        let default: Value = serde_json::from_str(default).expect(default);
        let settings: Settings = serde_json::from_value(json!({ (key): default })).expect(key);
        assert_eq!(settings, Settings::default(), "{key}");
        told.insert(key.to_owned());
    }
    assert_eq!(told, keys::<Settings>());
}

#[test]
fn every_mark_is_on_the_page_with_its_default() {
    let mut told = BTreeSet::new();
    for row in rows("### The marks") {
        let cell = |index: usize| row[index].trim_matches('`');
        let (key, header, value) = (cell(0), cell(1), cell(2));
        let said = json!({ (key): { "header": header, "value": value } });
        let settings: MarkSettings = serde_json::from_value(said).expect(key);
        assert!(
            settings.has_default_values(),
            "{key} is usually something else than {header}: {value}"
        );
        told.insert(key.to_owned());
    }
    assert_eq!(told, keys::<MarkSettings>());
}
