//! Nothing that a command says commands the terminal that it is said to: not with the names in a
//! module, in a path, in an argument or in a configuration.

use std::fs;
use std::path::Path;

use serde_json::Value;
use test_support::{RelayBuilder, run};

/// A title for the terminal's window, a screen that is cleared, a text in the other direction, and
/// a control of the second set.
const HOSTILE: &str = "a\u{1b}]0;mine\u{7}\u{1b}[2J\u{202e}\u{9b}31mb";

/// A core module that imports a function of a hostile name from a hostile module, and has a custom
/// section with such a name, too.
fn hostile_module() -> Vec<u8> {
    let name = |name: &str| [&[name.len() as u8][..], name.as_bytes()].concat();
    let section = |id: u8, content: Vec<u8>| [&[id, content.len() as u8][..], &content].concat();
    let import = [&[1][..], &name(HOSTILE), &name(HOSTILE), &[0, 0]].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, vec![1, 0x60, 0, 0]),
        section(2, import),
        section(0, [name(HOSTILE), b"\x1b[2J".to_vec()].concat()),
    ]
    .concat()
}

fn hidden(c: char) -> bool {
    c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c)
}

/// Runs a command that fails; what it says has the hostile text in it, escaped.
fn says(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(!said.contains(hidden), "{arguments:?}: {said:?}");
    assert!(said.contains(r"\u{202e}"), "{arguments:?}: {said}");
    said
}

fn configured(directory: &Path, more: &str) -> String {
    let nowhere = "127.0.0.1:9".parse().unwrap();
    let builder = RelayBuilder::usual(nowhere).with(more);
    builder.write(directory).display().to_string()
}

#[test]
fn output_contains_no_terminal_commands() {
    let directory = tempfile::tempdir().unwrap();
    let module = directory.path().join("a.wasm");
    fs::write(&module, hostile_module()).unwrap();
    let file = module.display().to_string();

    says(&["policy", "inspect", &file]);
    let missing = directory.path().join(HOSTILE).display().to_string();
    says(&["policy", "inspect", &missing]);
    says(&["check", &missing]);
    says(&["config", "check", "--config", &missing]);
    says(&["queue", "list", "--store", &missing]);
    says(&["doctor", "--store", &missing]);
    says(&[HOSTILE]);
    says(&["queue", HOSTILE]);
    says(&["check", "--mail-from", HOSTILE, &file]);
    says(&["policy", "export", HOSTILE, &file]);

    let policy = format!("[[policy]]\nname = \"mine\"\nfile = {file:?}");
    let config = configured(directory.path(), &policy);
    says(&["config", "check", "--config", &config]);
    let output = run(&["config", "check", "--config", &config, "--json"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains(hidden), "{said:?}");
    let line: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert!(line["message"].is_string());

    // Lines of the configuration itself, which an error shows.
    for line in [
        format!("no-key = 1 # {HOSTILE}"),
        format!("\"{}\" = 1", HOSTILE.escape_default()),
        HOSTILE.to_owned(),
    ] {
        let config = configured(directory.path(), &format!("[limits]\n{line}"));
        let output = run(&["config", "check", "--config", &config]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{line}");
        assert!(!said.contains(hidden), "{said:?}");
    }
}
