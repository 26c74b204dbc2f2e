//! The address of an administrator is proved by a code that is sent there: good once, kept only as a
//! verifier, and worthless after a few wrong ones. The letter leaves by the default route.

use std::fs;

use test_support::Taken;

use crate::{NATIVE, SUPPORT, Site};

const ANN: &str = "ann@user.test";

/// Returns the code in a letter.
fn code(letter: &Taken) -> String {
    let text = letter.text();
    let mut lines = text.lines().map(str::trim);
    let is_code = |line: &&str| {
        line.len() == 14
            && line.split('-').count() == 3
            && line.split('-').all(|part| part.len() == 4)
    };
    lines
        .find(is_code)
        .unwrap_or_else(|| panic!("{text}"))
        .to_owned()
}

#[test]
fn a_code_proves_an_address_once() {
    let site = Site::start(&[]);
    let administrator = |verb: &str, more: &[&str]| {
        let command = [&["administrator", verb, NATIVE][..], more].concat();
        site.relay.json(&command)
    };
    let refused = |verb: &str, more: &[&str]| {
        let command = [&["administrator", verb, NATIVE][..], more].concat();
        site.relay.refuses(&command)
    };
    let added = administrator("add", &[ANN, "--name", "Ann Admin", "--language", "pt-BR"]);
    assert_eq!(added[0]["language"], "pt-BR");
    assert_eq!(added[0].get("verified"), None, "{added:?}");
    let letter = site.world.take();
    assert_eq!(
        (&*letter.from, letter.to.as_slice()),
        ("", &[ANN.to_owned()][..])
    );
    assert!(
        letter
            .header("From")
            .unwrap()
            .contains("postmaster@trial.desk.test")
    );
    assert_eq!(
        letter.header("Auto-Submitted").as_deref(),
        Some("auto-generated")
    );
    assert!(
        letter.text().contains("Content-Language: pt"),
        "{}",
        letter.text()
    );
    let first = code(&letter);
    for entry in fs::read_dir(site.relay.directory().join("store")).unwrap() {
        let path = entry.unwrap().path();
        let octets = fs::read(&path).unwrap_or_default();
        // The letter itself was in the queue.
        let is_queue = ["journal", "spool"]
            .iter()
            .any(|of| path.to_string_lossy().contains(of));
        let found = octets
            .windows(first.len())
            .any(|part| part == first.as_bytes());
        assert!(is_queue || !found, "{}", path.display());
    }

    assert!(refused("add", &["ANN@user.test"]).contains("is an administrator"));
    assert!(refused("add", &["x@user.test", "--language", "de"]).contains("en and pt"));
    assert!(refused("verify", &[ANN]).contains("a moment ago"));
    assert!(refused("verify", &[ANN, "aaaa-aaaa-aaaa"]).contains("4 more may be given"));
    let verified = administrator("verify", &[ANN, &first.to_uppercase()]);
    assert!(verified[0]["verified"].as_u64().is_some(), "{verified:?}");
    assert!(refused("verify", &[ANN, &first]).contains("no code is good"));

    // Guessed wrong too often, the right one is worth nothing either.
    let bob = "bob@user.test";
    administrator("add", &[bob]);
    let second = code(&site.world.take());
    for left in (0..5).rev() {
        let said = refused("verify", &[bob, "aaaa-aaaa-aaaa"]);
        assert!(
            said.contains(&format!("{left} more may be given")),
            "{said}"
        );
    }
    assert!(refused("verify", &[bob, &second]).contains("no code is good"));

    let changed = administrator("set-language", &[bob, "pt"]);
    assert_eq!(changed[0]["language"], "pt");
    administrator("remove", &[bob]);
    let listed = administrator("list", &[]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(!listed[0].to_string().contains("hash"), "{listed:?}");
    for number in 1..20 {
        administrator("add", &[&format!("a{number}@user.test")]);
        site.world.take();
    }
    assert!(refused("add", &["last@user.test"]).contains("as many as it may have"));
    // It is mail of nobody's but the relay's.
    assert_ne!(letter.header("From").as_deref(), Some(SUPPORT));
    site.ends();
}
