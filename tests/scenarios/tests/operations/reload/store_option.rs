//! With a file that cannot be read, or one that names another store, the running relay is still
//! found: `--store` says where its store is.

use std::fs;

use test_support::{RelayBuilder, Sink, run};

use crate::{MESSAGE, accepted};

#[test]
fn commands_find_the_relay_by_its_store() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    fs::write(relay.directory().join("gatepost.toml"), "broken").unwrap();
    assert!(!relay.command(&["queue", "list"]).status.success());

    let store = relay.directory().join("store");
    let store = store.to_string_lossy().into_owned();
    let with_store = |arguments: &[&str]| run(&[arguments, &["--store", &store]].concat());
    for arguments in [
        &["queue", "list"][..],
        &["quarantine", "list"],
        &["policy", "list"],
        &["trace", &id],
    ] {
        let output = with_store(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
    let refused = with_store(&["reload"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("line 1"), "{said}");

    // The same when it is stopped, and nothing of its trace is lost by it.
    assert!(relay.terminate().success());
    assert!(with_store(&["trace", &id]).status.success());
    let none = with_store(&["policy", "list"]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("no relay is running"));
}

/// A relay never moves to another store.
#[test]
fn a_command_for_another_store_is_refused() {
    const RELAY: &str = "[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"";
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address()).with(RELAY);
    let relay = builder.clone().start();
    let moved = builder.replace("store = \"store\"", "store = \"other\"");
    moved.write(relay.directory());
    let store = relay.directory().join("store");
    let refused = run(&["reload", "--store", &store.to_string_lossy()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("relay.store cannot change while the relay runs"),
        "{said}"
    );
    drop(sink);
}
