//! The page of the policy tells its settings as they are.

use std::collections::BTreeMap;

use partner_guard::{Settings, Suppress};

#[test]
fn every_setting_is_told_with_its_default_and_no_other() {
    let page = include_str!("../../../docs/partner-guard.md");
    let section = page.split("\n## Settings\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let told: BTreeMap<&str, &str> = section
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.trim_end_matches('`');
            Some((name, cells.next()?.trim_matches('`')))
        })
        .collect();
    let Settings {
        suppress,
        text,
        partners_header,
    } = Settings::default();
    let suppress = match suppress {
        Suppress::Silently => "\"silently\"",
        Suppress::Reject => "\"reject\"",
    };
    let (text, header) = (format!("\"{text}\""), format!("\"{partners_header}\""));
    let are = [
        ("partners-header", header.as_str()),
        ("suppress", suppress),
        ("text", text.as_str()),
    ];
    assert_eq!(told, BTreeMap::from(are));
    // All that there are: the schema says so.
    let schema = serde_json::to_value(schemars::schema_for!(Settings)).unwrap();
    let names: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, told.keys().collect::<Vec<_>>());
}
