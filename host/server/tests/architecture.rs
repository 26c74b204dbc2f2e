//! The page on the architecture names the crates and their arrows as they are.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the crates of the page's table, in its order, each with its description and its uses.
fn documented() -> Vec<(String, (String, Vec<String>))> {
    let page = fs::read_to_string(workspace().join("docs/architecture.md")).unwrap();
    let section = page.split("## Crates").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| {
        let row = line.strip_prefix("| `")?.strip_suffix(" |")?;
        let mut cells = row.split(" | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        let description = cells.next()?.trim_end_matches(" |").to_owned();
        let uses = cells.next().unwrap_or_default().split(", ");
        let uses = uses.filter(|used| !used.is_empty()).map(str::to_owned);
        Some((name, (description, uses.collect())))
    });
    rows.collect()
}

/// Returns the crates of `host/` and the contract's, each with its description and the crates of ours that it uses:
/// in what it builds (`None`), or in its tests (`dev`).
fn built(kind: Option<&str>) -> BTreeMap<String, (String, Vec<String>)> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(workspace())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let ours = packages.filter_map(|package| {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let folder = manifest.parent()?;
        let is_of_table = folder.parent()?.ends_with("host") || folder.ends_with("wit");
        is_of_table.then_some(())?;
        let dependencies = package["dependencies"].as_array()?.iter();
        let uses = dependencies.filter(|dependency| dependency["kind"].as_str() == kind);
        let uses = uses.filter_map(|dependency| {
            let path = Path::new(dependency["path"].as_str()?);
            Some(path.file_name()?.to_str()?.to_owned())
        });
        let name = folder.file_name()?.to_str()?.to_owned();
        let description = package["description"].as_str()?.to_owned();
        Some((name, (description, uses.collect())))
    });
    ours.collect()
}

#[test]
fn the_table_has_every_crate_with_its_dependencies() {
    let mut built = built(None);
    for (name, (description, mut uses)) in documented() {
        let (is, mut used) = built
            .remove(&name)
            .unwrap_or_else(|| panic!("no crate {name}"));
        uses.sort();
        used.sort();
        assert_eq!((description, uses), (is, used), "{name}");
    }
    assert!(built.is_empty(), "missing from the table: {built:?}");
}

#[test]
fn no_crate_uses_one_below_it() {
    let documented = documented();
    let place = |name: &str| documented.iter().position(|(other, _)| other == name);
    for (at, (name, (_, uses))) in documented.iter().enumerate() {
        for used in uses.iter().filter(|used| *used != "fixture") {
            assert!(
                place(used) < Some(at) && place(used).is_some(),
                "{name} uses {used}"
            );
        }
    }
}

#[test]
fn no_crate_is_tested_with_one_below_it() {
    let documented = documented();
    let place = |name: &str| documented.iter().position(|(other, _)| other == name);
    for (name, (_, uses)) in built(Some("dev")) {
        for used in uses.iter().filter(|used| place(used).is_some()) {
            assert!(place(used) < place(&name), "{name} is tested with {used}");
        }
    }
}

/// The queue, the trace and delivery are built and tested without a compiler of WebAssembly.
#[test]
fn plain_data_needs_no_engine() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges=normal", "--prefix=none"])
        .args(["-p", "gatepost-spool", "-p", "gatepost-trace"])
        .args(["-p", "gatepost-delivery"])
        .current_dir(workspace())
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("gatepost-model"), "{tree}");
    for engine in ["wasmtime", "cranelift"] {
        assert!(!tree.contains(engine), "{engine} in\n{tree}");
    }
}
