//! Rules of CONTRIBUTING.md about words, as far as a program can check them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Words with which the documentation of no item begins: they open a relative clause without a
/// noun.
const RELATIVE: [&str; 12] = [
    "By", "How", "That", "What", "When", "Where", "Whether", "Which", "Who", "Whom", "Whose", "Why",
];

/// Type names that may be defined in three crates or more. Each crate's error, settings or limits
/// are named with the crate (`gatepost_spool::Settings`), and the contract's own records are
/// mirrored.
const SHARED_NAMES: usize = 40;

/// Octets of a commit's subject.
const SUBJECT: usize = 72;

/// Commits whose subjects are checked.
const COMMITS: &str = "100";

/// Checks item documentation, type names and commit subjects of the workspace.
pub fn run() -> Result<()> {
    let root = test_support::workspace().canonicalize()?;
    let mut faults = Vec::new();
    let mut names: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for folder in ["host", "guest", "wit", "tests", "xtask"] {
        for file in sources(&root.join(folder))? {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let short = file.strip_prefix(&root).unwrap_or(&file).to_owned();
            faults.extend(documentation(&short, &text));
            if !short.iter().any(|part| part == "tests") {
                for name in types(&text) {
                    names.entry(name).or_default().insert(short.clone());
                }
            }
        }
    }
    names.retain(|_, files| files.len() >= 3);
    if names.len() > SHARED_NAMES {
        let list: Vec<_> = names.keys().map(String::as_str).collect();
        faults.push(format!(
            "{} type names are defined in three files or more, {SHARED_NAMES} may be: {}",
            names.len(),
            list.join(", ")
        ));
    }
    faults.extend(subjects(&root)?);
    for fault in &faults {
        eprintln!("{fault}");
    }
    ensure!(faults.is_empty(), "{} faults of wording", faults.len());
    println!("{} type names stand in three files or more", names.len());
    Ok(())
}

/// Returns the sources below a folder, in Rust and WIT.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                found.extend(sources(&path)?);
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == "rs" || extension == "wit")
        {
            found.push(path);
        }
    }
    Ok(found)
}

/// Returns the places where the documentation of an item begins with a relative word.
fn documentation(file: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut before = false;
    for (number, line) in text.lines().enumerate() {
        let doc = line.trim_start().strip_prefix("///");
        if let (Some(doc), false) = (doc, before) {
            let word = doc.trim_start().split(|c: char| !c.is_alphabetic()).next();
            if let Some(word) = word.filter(|word| RELATIVE.contains(word)) {
                faults.push(format!(
                    "{}:{}: documentation begins with \"{word}\"; begin with a noun or a verb",
                    file.display(),
                    number + 1
                ));
            }
        }
        before = doc.is_some();
    }
    faults
}

/// Returns the names of the types that a source defines.
fn types(text: &str) -> BTreeSet<String> {
    let defined = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = match line.strip_prefix("pub") {
            Some(rest) => rest.trim_start_matches(|c| c != ' ').trim_start(),
            None => line,
        };
        let (kind, rest) = line.split_once(' ')?;
        ["struct", "enum", "trait"].contains(&kind).then_some(())?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        Some(rest[..end.unwrap_or(rest.len())].to_owned())
    });
    defined.filter(|name| !name.is_empty()).collect()
}

/// Returns the commits whose subject is too long; none where there is no repository.
fn subjects(root: &Path) -> Result<Vec<String>> {
    let log = Command::new("git")
        .args(["log", "--no-merges", "--format=%h %s", "-n", COMMITS])
        .current_dir(root)
        .output();
    let Some(log) = log.ok().filter(|log| log.status.success()) else {
        println!("SKIPPED: commit subjects, for this is no repository of git");
        return Ok(Vec::new());
    };
    let log = String::from_utf8(log.stdout)?;
    let long = log.lines().filter_map(|line| {
        let (commit, subject) = line.split_once(' ')?;
        let length = subject.chars().count();
        (length > SUBJECT).then(|| format!("commit {commit}: its subject has {length} characters"))
    });
    Ok(long.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_word_at_the_beginning_is_found() {
        let text =
            "/// What is counted.\nfn a() {}\n/// Returns what is counted.\n/// Whose, too.\n";
        let faults = documentation(Path::new("a.rs"), text);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("a.rs:1: "), "{faults:?}");
    }

    #[test]
    fn types_of_all_kinds_are_found() {
        let text = "pub struct A;\nenum B {}\npub(crate) trait C<T> {}\nlet x = structure;\nstruct D<'a>(&'a str);\n";
        let found: Vec<_> = types(text).into_iter().collect();
        assert_eq!(found, ["A", "B", "C", "D"]);
    }
}
