//! The policy's documentation has the default of every setting.

use std::collections::BTreeMap;

use partner_guard::{Settings, Suppress};

#[test]
fn the_page_has_exactly_the_settings_with_their_defaults() {
    let page = include_str!("../../../docs/partner-guard.md");
    let section = page.split("\n## Settings\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let on_page: BTreeMap<&str, &str> = section
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
    assert_eq!(on_page, BTreeMap::from(are));
    // The schema has the same settings and no others.
    let schema = serde_json::to_value(schemars::schema_for!(Settings)).unwrap();
    let names: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, on_page.keys().collect::<Vec<_>>());
}
