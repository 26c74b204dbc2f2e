//! The start of a relay loads its policies side by side, and says so while it does.

use std::fs;

use test_support::{Process, RelayBuilder, gatepost};

#[test]
fn the_log_tells_what_is_compiled_and_how_long_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let relay = RelayBuilder::usual(nowhere).replace("\"loop-guard\", ", "");
    let config = relay.write(folder.path()).display().to_string();
    // A store of its own, in which nothing is compiled yet.
    fs::remove_file(folder.path().join("store/cache")).unwrap();
    let mut command = gatepost();
    command.args(["serve", "--config", &config]);
    let mut process = Process::start("serve", &mut command);
    assert!(process.line().starts_with("ready "));
    let log = process.log();
    for policy in ["header-guard", "outbound-route"] {
        let compiling = format!("loading a policy: compiling policy={policy:?}");
        assert!(log.contains(&compiling), "{log}");
        let loaded = log
            .lines()
            .find(|line| line.contains("policy compiled and loaded") && line.contains(policy));
        assert!(loaded.is_some_and(|line| line.contains("millis=")), "{log}");
    }
    process.signal("TERM");
    assert!(process.wait().success());

    let process = Process::start("serve", &mut command);
    assert!(process.line().starts_with("ready "));
    assert!(!process.log().contains("compiling"), "{}", process.log());
}
