//! Help is found where people look for it.

use test_support::gatepost;

fn printed(arguments: &[&str]) -> String {
    let ran = gatepost().args(arguments).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{arguments:?}: {ran:?}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn help_and_version_are_commands_too() {
    assert!(printed(&["help"]).contains("Usage: gatepost"));
    assert!(printed(&["help", "connector"]).contains("setup"));
    assert_eq!(printed(&["version"]), printed(&["--version"]));
    let help = printed(&["connector", "setup", "--help"]);
    for part in [
        "exchange-server",
        "google-workspace",
        "--kind two-way",
        "Example:",
        "--wait 10m",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
}
