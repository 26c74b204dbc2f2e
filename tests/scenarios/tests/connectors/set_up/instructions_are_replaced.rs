//! A file of instructions is replaced; any other file is left, and ends the set-up before it changes
//! anything.

use std::fs;

use crate::setup::{asked, connectors, desk, printed, set_up};

#[test]
fn repeating_a_set_up_writes_the_instructions_again() {
    let desk = desk();
    let file = desk.relay.directory().join("customer.md");
    let account = [
        "--yes",
        "--vouch",
        "--account",
        "acme.desk.test",
        "--product",
        "Acme",
    ];
    let domain = ["--domain", "customer.test", "--kind", "two-way"];
    let written = [
        "--for",
        "Generic",
        "--contact",
        "Kim",
        "--output",
        file.to_str().unwrap(),
    ];
    let options = [&account[..], &domain, &written].concat();

    fs::write(&file, "my own notes\n").unwrap();
    let refused = asked(&set_up(&desk, &options, &[]));
    assert!(refused.contains("holds no instructions"), "{refused}");
    assert!(desk.relay.json(&["account", "list"]).is_empty());
    assert_eq!(fs::read_to_string(&file).unwrap(), "my own notes\n");

    fs::remove_file(&file).unwrap();
    let first = printed(&set_up(&desk, &options, &[]));
    assert!(first.contains("link       https://"), "{first}");
    let again = set_up(&desk, &options, &[]);
    let said = printed(&again);
    assert!(said.contains("wrote the instructions to"), "{said}");
    assert!(said.contains("left to do for customer.test"), "{said}");
    // No second credential: the secret of the first stays good.
    assert_eq!(desk.relay.json(&["credential", "list"]).len(), 1);
    assert_eq!(connectors(&desk).len(), 1);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("Questions go to Kim."), "{text}");
    let parts = fs::read_dir(desk.relay.directory()).unwrap();
    let mut parts = parts.map(|entry| entry.unwrap().file_name());
    assert!(!parts.any(|name| name.to_string_lossy().ends_with(".part")));
    desk.relay.leaves_nothing(desk.sink);
}
