//! A module that was activated by hand survives a restart, also a hard one; the configuration's later
//! word wins; and every version of the history can be activated again.

use serde_json::Value;
use test_support::{Relay, Sink, hostile, hostile_file};

use crate::{Guest, INNOCENT, send, status};

fn marked(relay: &Relay, sink: &Sink, version: &str) {
    assert_eq!(send(relay, INNOCENT).code, 250);
    assert_eq!(sink.take().header("X-Version").as_deref(), Some(version));
}

fn activate(relay: &Relay, example: &str) -> Value {
    let file = hostile_file(example);
    let file = file.to_string_lossy();
    let arguments = ["policy", "activate", &file, "--name", "guest"];
    relay.json(&arguments).remove(0)
}

#[test]
fn an_activated_module_survives_a_restart() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    let one = status(&relay, "guest")["digest"].take();
    let two = activate(&relay, "version_two")["new"].take();

    relay.kill();
    relay.restart();
    let now = status(&relay, "guest");
    assert_eq!((&now["digest"], &now["configured"]), (&two, &one));
    marked(&relay, &sink, "two");
    let text = relay.command(&["policy", "list"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("ACTIVATED BY HAND; the configuration names"),
        "{text}"
    );

    // An event tells of it, and the history who it was.
    let events = relay.json(&["events"]);
    let told = events.iter().find(|event| event["subject"] == "policy");
    let told = told.unwrap()["text"].as_str().unwrap();
    assert!(told.starts_with("policy guest: version "), "{told}");
    assert!(told.contains("(socket) from "), "{told}");
    let history = relay.json(&["policy", "history", "guest"]);
    let [activated, configured] = history.as_slice() else {
        panic!("{history:?}");
    };
    assert_eq!(
        (&activated["digest"], &activated["active"]),
        (&two, &true.into())
    );
    assert_eq!(activated["origin"], "socket");
    let source = activated["source"].as_str().unwrap();
    assert!(source.ends_with("version_two.wasm"), "{source}");
    assert_eq!(
        (&configured["digest"], &configured["configured"]),
        (&one, &true.into())
    );
    assert_eq!(configured["origin"], "configuration");
    relay.leaves_nothing(sink);
}

#[test]
fn the_configurations_later_word_wins() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let mut relay = guest.relay(&sink).start();
    let one = status(&relay, "guest")["digest"].take();
    let two = activate(&relay, "version_two")["new"].take();
    marked(&relay, &sink, "two");

    guest.becomes(hostile("marks"));
    let reloaded = relay.json(&["reload"]).remove(0);
    let changes = reloaded["changes"].as_array().unwrap();
    let change = changes
        .iter()
        .find(|of| of["key"] == "policy.guest (version)");
    let note = change.unwrap()["note"].as_str().unwrap();
    assert!(note.contains("activated by hand"), "{note}");
    let three = status(&relay, "guest");
    assert_eq!(three["configured"], Value::Null);
    assert_ne!(three["digest"], two);

    // So it is after a restart, too; and any version can be activated again, by its digest.
    relay.kill();
    relay.restart();
    assert_eq!(status(&relay, "guest")["digest"], three["digest"]);
    for (digest, version) in [(&one, "one"), (&two, "two")] {
        let digest = &digest.as_str().unwrap()[..12];
        relay.json(&["policy", "rollback", "guest", "--to", digest]);
        marked(&relay, &sink, version);
    }
    let failed = relay.command(&["policy", "rollback", "guest", "--to", "0123"]);
    assert_eq!(failed.status.code(), Some(1));
    let error = String::from_utf8(failed.stderr).unwrap();
    assert!(error.contains("no version whose digest begins"), "{error}");
    relay.leaves_nothing(sink);
}
