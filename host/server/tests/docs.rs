//! The pages on configuration and security match the code.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gatepost_config::Config;
use gatepost_policy::{Engine, EngineSettings, Limits, LoadingLimits};
use gatepost_policy_set::Policies;

/// Sections of the page about nested tables, each with a configuration that has an unknown key
/// there.
const INSIDE: [(&str, &str); 5] = [
    ("users", "[[account]]\nusers = [{ too-many = 1 }]"),
    ("forwarders", "[[account]]\nforwarders = [{ too-many = 1 }]"),
    ("self-test", "[[policy]]\nself-test = [{ too-many = 1 }]"),
    ("limits", "[connection.name]\nlimits = { too-many = 1 }"),
    (
        "default-route",
        "[delivery]\ndefault-route = { too-many = 1 }",
    ),
];

/// Returns each section of the page that describes a table, as its headings name them, with a
/// configuration that has an unknown key there.
fn tables(page: &str) -> Vec<(String, String)> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| line.trim_start_matches('#').trim());
    let tables = headings.filter_map(|heading| {
        let name = heading.strip_prefix('`')?.strip_suffix('`')?;
        let text = match name.starts_with('[') {
            true => format!("{name}\ntoo-many = 1"),
            false => {
                let inside = INSIDE.iter().find(|(table, _)| *table == name);
                let (_, text) = inside.unwrap_or_else(|| panic!("where does {name} stand?"));
                (*text).to_owned()
            }
        };
        Some((heading.to_owned(), text))
    });
    let file = ("The file".to_owned(), "too-many = 1".to_owned());
    std::iter::once(file).chain(tables).collect()
}

/// Returns the rows of a page's tables of two columns or more, by their first cell.
fn rows(page: &str) -> BTreeMap<String, String> {
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| ")?.split(" | ").collect();
        let value = cells.get(1)?.trim_end_matches(" |");
        Some((cells.first()?.to_string(), value.to_owned()))
    });
    rows.collect()
}

/// SECURITY.md has the actual limits and imports.
#[test]
fn the_page_on_security_has_the_actual_limits_and_imports() {
    let page = fs::read_to_string(docs().join("../SECURITY.md")).unwrap();
    let rows = rows(&page);
    let says = |what: &str, value: String| {
        assert_eq!(rows.get(what), Some(&value), "{what}");
    };
    for (what, limit) in gatepost_policy::bounds() {
        says(what, limit.to_string());
    }
    let mebioctets = |octets: u64| format!("{} MiB", octets >> 20);
    let call = Limits::default();
    let (memory, milliseconds) = (mebioctets(call.memory as u64), call.deadline.as_millis());
    says(
        "Time of its own running",
        format!("{milliseconds} ms, or `deadline`"),
    );
    says("Memory", format!("{memory}, or `memory`; 256 MiB at most"));
    says("Elements of a table", call.table.to_string());
    says(
        "Octets from the module to the relay",
        mebioctets(call.hostcall_bytes as u64),
    );
    says(
        "Octets of its decision and log lines",
        format!("{} KiB", call.answer_bytes >> 10),
    );
    let file = "Octets of the module's file, which must be a regular file";
    says(file, mebioctets(call.module_bytes as u64));
    let load = LoadingLimits::default();
    says("Memory of the process", mebioctets(load.memory));
    says(
        "Time of the processor",
        format!("{} s", load.processor.as_secs()),
    );
    says("Time by the clock", format!("{} s", load.clock.as_secs()));
    let validation = "Checking the settings against the module's schema, of the processor";
    says(
        validation,
        format!("{} s", gatepost_policy::VALIDATION.as_secs()),
    );
    says(
        "The module's schema",
        format!("{} KiB", gatepost_policy::LONGEST_SCHEMA >> 10),
    );
    let code = "Code that comes back, with the memory that `configure` filled";
    says(code, mebioctets(load.code as u64));

    let contract = fs::read_to_string(docs().join("../wit/host.wit")).unwrap();
    let interfaces = contract.lines().filter_map(|line| {
        Some(
            line.strip_prefix("interface ")?
                .split(' ')
                .next()?
                .to_owned(),
        )
    });
    let told: BTreeSet<_> = rows.keys().flat_map(|cell| quoted(cell)).collect();
    for interface in interfaces {
        assert!(told.contains(&interface), "{interface}");
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Returns the keys that may stand in a table, as the error about an unknown one lists them.
fn known(text: &str) -> BTreeSet<String> {
    let error = Config::parse(text, Path::new("gatepost.toml"), Path::new("")).unwrap_err();
    let message = error.problems()[0].to_string();
    let (unknown, known) = message.split_once(", expected ").unwrap();
    assert_eq!(unknown, "unknown field `too-many`");
    quoted(known)
}

/// Returns the keys in the tables of one section: the first cell of each row.
fn documented(page: &str, section: &str) -> BTreeSet<String> {
    let lines = page.lines();
    let lines = lines.skip_while(|line| line.trim_start_matches('#').trim() != section);
    let lines = lines.skip(1).take_while(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().trim_matches(['[', ']']))
        .map(|key| unnamed(key).to_owned())
        .collect()
}

/// Returns the key of a table that the page has with a name of the site's own, such as
/// `connection.name`.
fn unnamed(key: &str) -> &str {
    key.strip_suffix(".name").unwrap_or(key)
}

fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_key_is_documented_and_no_other() {
    let page = fs::read_to_string(docs().join("configuration.md")).unwrap();
    let tables = tables(&page);
    for (section, text) in &tables {
        assert_eq!(documented(&page, section), known(text), "{section}");
    }
    for key in known("too-many = 1") {
        let has_section = |(section, _): &(String, String)| {
            unnamed(section.trim_matches('`').trim_matches(['[', ']'])) == key
        };
        assert!(tables.iter().any(has_section), "{key} has no section");
    }
}

#[tokio::test]
async fn the_example_has_every_key_and_loads() {
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(docs().join("example.toml")).unwrap();
    let file = directory.path().join("gatepost.toml");
    fs::write(&file, &text).unwrap();
    fs::create_dir(directory.path().join("profiles")).unwrap();
    let looping = "Received: from a by b; Thu, 1 Jan 1970 00:00:00 +0000\r\n".repeat(101);
    fs::write(directory.path().join("loop.eml"), looping).unwrap();

    let config = Config::load(&file).unwrap();
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let policies = Policies::load(engine, &config).await.unwrap();
    assert_eq!(policies.slots().len(), 3);

    let page = fs::read_to_string(docs().join("configuration.md")).unwrap();
    for (section, wrong) in tables(&page) {
        for key in known(&wrong) {
            let named = [
                format!("{key} = "),
                format!("[{key}]"),
                format!("[{key}."),
                format!(".{key}]"),
                format!(".{key}."),
                format!("# or {key} = "),
            ];
            assert!(
                named.iter().any(|form| text.contains(form)),
                "{section}: {key} is missing from the example"
            );
        }
    }
}
