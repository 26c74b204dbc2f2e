//! Messages as mail programs write them, in twelve languages, with what their authors have written.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gatepost_reply_text::{reply, reply_of_html};

const LANGUAGES: [&str; 12] = [
    "en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "da", "cs", "tr",
];

const PROGRAMS: [&str; 10] = [
    "gmail",
    "gmail-web",
    "gmail-forwarded",
    "outlook-desktop",
    "outlook-web",
    "outlook-mobile",
    "apple-mail",
    "iphone",
    "thunderbird",
    "yahoo",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/replies")
}

#[test]
fn each_message_is_reduced_to_what_its_author_has_written() {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let found = match path.extension().unwrap().to_str().unwrap() {
            "txt" => reply(&fs::read_to_string(&path).unwrap()),
            "html" => reply_of_html(&fs::read_to_string(&path).unwrap()),
            _ => continue,
        };
        let due = fs::read_to_string(path.with_extension("reply")).unwrap();
        if found != due.trim_end() {
            wrong.push(format!(
                "{}: {found:?}, not {:?}",
                path.display(),
                due.trim_end()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_language_has_a_message_of_each_program() {
    let entries = fs::read_dir(folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned());
    let names: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    for language in LANGUAGES {
        for program in PROGRAMS {
            assert!(
                names.contains(&format!("{language}-{program}")),
                "{language}-{program}"
            );
        }
    }
}

/// Programs end lines as SMTP does.
#[test]
fn the_ends_of_lines_do_not_matter() {
    let text = fs::read_to_string(folder().join("de-thunderbird.txt")).unwrap();
    assert_eq!(reply(&text.replace('\n', "\r\n")), reply(&text));
}
