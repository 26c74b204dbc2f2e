//! A folder of modules that is watched: what changes in it is put in use without a command, once
//! it is whole and good.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use test_support::{Relay, RelayBuilder, Sink, hostile};

use crate::{CHAIN, INNOCENT, send, status};

/// The watched folder, with the module of the policy `guest` in it.
struct Folder(TempDir);

impl Folder {
    fn new(example: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.file(), hostile(example)).unwrap();
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("guest.wasm")
    }

    fn relay(&self, sink: &Sink) -> Relay {
        let relay = format!(
            "[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\npolicies = {:?}",
            self.0.path()
        );
        RelayBuilder::usual(sink.address())
            .replace(CHAIN, r#"chain = ["guest"]"#)
            .with(&relay)
            .with("[http]\naddress = \"127.0.0.1:0\"")
            // Neither builtin nor file: the module is guest.wasm in the folder.
            .with("[[policy]]\nname = \"guest\"")
            .start()
    }
}

fn marked(relay: &Relay, sink: &Sink, version: &str) {
    assert_eq!(send(relay, INNOCENT).code, 250);
    assert_eq!(sink.take().header("X-Version").as_deref(), Some(version));
}

/// Waits until another version than this one is in use.
fn swapped(relay: &Relay, from: &Value) -> Value {
    relay.eventually("another version is in use", |relay| {
        let digest = status(relay, "guest")["digest"].take();
        (digest != *from).then_some(digest)
    })
}

const REFUSED: &str = "gatepost_policy_module_refused{policy=\"guest\"}";

#[test]
fn a_module_that_changes_is_activated() {
    let sink = Sink::start();
    let folder = Folder::new("version_one");
    let relay = folder.relay(&sink);
    marked(&relay, &sink, "one");
    let one = status(&relay, "guest")["digest"].take();

    // Moved into place.
    let new = folder.0.path().join("new");
    fs::write(&new, hostile("version_two")).unwrap();
    fs::rename(new, folder.file()).unwrap();
    let two = swapped(&relay, &one);
    marked(&relay, &sink, "two");

    // Written over.
    fs::write(folder.file(), hostile("version_one")).unwrap();
    assert_eq!(swapped(&relay, &two), one);
    marked(&relay, &sink, "one");

    // It is the configuration's: a reload finds nothing to change.
    let reloaded = relay.json(&["reload"]).remove(0);
    let keys: Vec<_> = reloaded["changes"].as_array().unwrap().iter().collect();
    assert!(
        keys.iter().all(|c| c["key"] != "policy.guest (version)"),
        "{keys:?}"
    );
    relay.leaves_nothing(sink);
}

#[test]
fn half_a_module_is_not_activated() {
    let sink = Sink::start();
    let folder = Folder::new("version_one");
    let relay = folder.relay(&sink);
    let one = status(&relay, "guest")["digest"].take();
    let module = hostile("version_two");
    let (first, rest) = module.split_at(module.len() / 2);
    let mut file = File::create(folder.file()).unwrap();
    file.write_all(first).unwrap();
    // Another file, which is whole, shows that the folder has been looked at meanwhile.
    fs::write(folder.0.path().join("other.wasm"), "of no policy").unwrap();
    relay.logged("belongs to no [[policy]]");
    marked(&relay, &sink, "one");
    file.write_all(rest).unwrap();
    drop(file);
    swapped(&relay, &one);
    marked(&relay, &sink, "two");
    assert!(!relay.log().contains("ERROR"), "{}", relay.log());
    relay.leaves_nothing(sink);
}

#[test]
fn a_bad_module_keeps_the_last_good_one() {
    let sink = Sink::start();
    let folder = Folder::new("version_one");
    let relay = folder.relay(&sink);
    let one = status(&relay, "guest")["digest"].take();
    assert_eq!(relay.metric(REFUSED), Some(0.0));

    fs::write(folder.file(), hostile("traps_at_load")).unwrap();
    relay.logged("the new module is not activated");
    relay.eventually("the list says so", |relay| {
        let status = status(relay, "guest");
        assert_eq!(status["digest"], one);
        status["refused"].as_str()?.contains("probe").then_some(())
    });
    assert_eq!(relay.metric(REFUSED), Some(1.0));
    marked(&relay, &sink, "one");

    fs::remove_file(folder.file()).unwrap();
    relay.logged("a watched module cannot be read");
    marked(&relay, &sink, "one");

    fs::write(folder.file(), hostile("version_two")).unwrap();
    swapped(&relay, &one);
    assert_eq!(status(&relay, "guest")["refused"], Value::Null);
    assert_eq!(relay.metric(REFUSED), Some(0.0));
    marked(&relay, &sink, "two");
    relay.leaves_nothing(sink);
}
