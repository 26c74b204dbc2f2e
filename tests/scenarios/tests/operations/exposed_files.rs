//! A key ring, a configuration with passwords or a store that others can read or write is warned of:
//! at start, by `config check` and by `doctor`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use test_support::{RelayBuilder, Sink, run};

use crate::{MESSAGE, accepted};

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn exposed_files_are_warned_of() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    // Else it may be delivered twice, as after any end in the midst of an attempt.
    relay.eventually("the delivery is recorded", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    let file = relay.directory().join("gatepost.toml");
    let store = relay.directory().join("store");
    let ring = store.join("key-ring");
    set(&file, 0o640);
    set(&store, 0o700);
    set(&relay.directory().join("key.pem"), 0o640);
    let output = relay.command(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("a relay is running on it"), "{said}");

    set(&ring, 0o604);
    set(&file, 0o666);
    relay.restart();
    relay.logged("has mode 0604: everybody can read it");
    relay.logged("has mode 0666: everybody can write it");

    let output = relay.command(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let warnings: Vec<serde_json::Value> = (said.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|finding: &serde_json::Value| finding["level"] == "warning")
        .collect();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    let advice = format!("chmod 0600 {}", ring.display());
    assert!(
        warnings.iter().any(|it| it["advice"] == advice),
        "{warnings:#?}"
    );

    let path = file.display().to_string();
    let output = run(&["config", "check", "--config", &path]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("warning: ").count(), 2, "{said}");
    relay.leaves_nothing(sink);
}
