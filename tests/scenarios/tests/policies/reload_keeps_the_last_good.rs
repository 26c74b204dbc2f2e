//! On SIGHUP a policy that cannot be used any more keeps its last good version, and the log says
//! so as an error.

use std::fs;

use test_support::{Relay, Sink, hostile};

use crate::{Guest, INNOCENT, send};

#[test]
fn a_module_that_cannot_be_loaded_changes_nothing() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    for (module, says) in [
        (hostile("traps_at_load"), "a probe call of its message hook"),
        (hostile("forbidden_import"), "clock_time_get"),
        (b"not wasm".to_vec(), "not a WebAssembly file"),
    ] {
        guest.becomes(module);
        refused(&relay, says);
        judges_as(&relay, &sink, "X-Version", "one");
    }
    fs::remove_file(guest.file()).unwrap();
    refused(&relay, "cannot read");
    judges_as(&relay, &sink, "X-Version", "one");

    guest.becomes(hostile("version_two"));
    let log = relay.reload();
    assert!(!log.contains("ERROR"), "{log}");
    judges_as(&relay, &sink, "X-Version", "two");
    relay.leaves_nothing(sink);
}

#[test]
fn settings_that_are_not_valid_change_nothing() {
    const FIRST: &str = "settings = { version = \"first\" }";
    let sink = Sink::start();
    let guest = Guest::new("marks");
    let builder = guest.relay(&sink).with(FIRST);
    let relay = builder.clone().start();
    for (settings, says) in [
        ("settings = { version = 7 }", "/version: 7 is not"),
        ("settings = { version = ", "configuration not reloaded"),
    ] {
        let broken = builder.clone().replace(FIRST, settings);
        broken.write(relay.directory());
        refused(&relay, says);
        judges_as(&relay, &sink, "X-Marked-By", "first");
    }

    let second = builder.replace("\"first\"", "\"second\"");
    second.write(relay.directory());
    let log = relay.reload();
    assert!(!log.contains("ERROR"), "{log}");
    judges_as(&relay, &sink, "X-Marked-By", "second");
    relay.leaves_nothing(sink);
}

/// Reads all again, which must be said to have failed.
fn refused(relay: &Relay, says: &str) {
    let log = relay.reload();
    assert!(log.contains("ERROR"), "{log}");
    assert!(log.contains(says), "{says:?} is not in\n{log}");
}

/// The mark of the policy is on a message that is sent now.
fn judges_as(relay: &Relay, sink: &Sink, header: &str, mark: &str) {
    assert_eq!(send(relay, INNOCENT).code, 250);
    assert_eq!(sink.take().header(header).as_deref(), Some(mark));
}
