//! Commands that are suggested name the configuration as it was given, the account and the domain: a
//! shell takes them as they are.

use std::process::Command;

use test_support::binary;

use crate::setup::{connectors, desk, missing, printed, set_up};

/// Runs a line of a shell, in which `gatepost` is the binary of the tests.
fn shell(line: &str) -> String {
    let folder = binary().parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let ran = Command::new("sh")
        .args(["-c", line])
        .env("PATH", path)
        .output();
    let ran = ran.unwrap();
    String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned()
}

/// Returns the command of a text that begins so.
fn command<'a>(text: &'a str, begins: &str) -> &'a str {
    let mut commands = text.split('`');
    let found = commands.find(|part| part.starts_with(begins));
    found.unwrap_or_else(|| panic!("{begins}: {text}"))
}

#[test]
fn each_suggestion_runs_as_it_stands() {
    let desk = desk();
    let options = ["--yes", "--account", "acme.desk.test", "--product", "Acme"];
    let domain = ["--domain", "customer.test", "--kind", "two-way"];
    let left = printed(&set_up(&desk, &[&options[..], &domain].concat(), &[]));
    shell(command(&left, "gatepost connector vouch"));
    assert_eq!(connectors(&desk)[0]["state"], "verified", "{left}");
    shell(command(&left, "gatepost address add"));
    assert_eq!(missing(&desk), ["log-in", "connection"], "{left}");

    let id = connectors(&desk)[0]["id"].as_str().unwrap().to_owned();
    let shown = printed(&desk.relay.command(&["connector", "progress", &id]));
    let instructions = shell(command(&shown, "gatepost connector instructions"));
    assert!(
        instructions.contains("instructions for your mail server"),
        "{instructions}"
    );

    // The command that goes on asks for no account and no domain.
    let again = command(&left, "gatepost connector setup");
    for part in [
        "--config ",
        "--account acme.desk.test",
        "--domain customer.test",
    ] {
        assert!(again.contains(part), "{part}: {again}");
    }
    let went_on = shell(&format!("{again} --yes"));
    assert!(
        went_on.contains("customer.test is connected as two-way"),
        "{went_on}"
    );
    desk.relay.leaves_nothing(desk.sink);
}
