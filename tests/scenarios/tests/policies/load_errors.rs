//! A module that cannot be used is refused at `gatepost policy activate`, in words that say what
//! to do; the version in use stays in use.

use test_support::{RelayBuilder, Sink, hostile, hostile_file, policy_file};

use crate::{Guest, INNOCENT, send, status};

/// The module, and what the operator is told of it.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let one = hostile("version_one");
    let half = one[..one.len() / 2].to_vec();
    vec![
        (
            "not WebAssembly",
            b"#!/bin/sh\nexit 0\n".to_vec(),
            &[
                "not a WebAssembly file: it begins with `#!/bin/s`",
                "give the .wasm that `cargo build --target wasm32-unknown-unknown --release` made",
            ],
        ),
        ("cut short", half, &["the WebAssembly is not valid"]),
        (
            "a forbidden import",
            hostile("forbidden_import"),
            &[
                "the module imports wasi_snapshot_preview1.clock_time_get",
                "it may import only gatepost:policy/types@0.2.0",
            ],
        ),
        (
            "another version of the contract",
            replaced(one, b"@0.2.0", b"@0.7.3"),
            &[
                "built for gatepost:policy 0.7.3",
                "this relay speaks 0.2.0",
                "build it again with the SDK of version 0.2.0",
            ],
        ),
        (
            "one that traps on the harmless message that each is tried with",
            hostile("traps_at_load"),
            &["the module failed in a probe call of its message hook"],
        ),
    ]
}

#[test]
fn the_operator_is_told_what_to_do() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    let before = status(&relay, "guest");
    let file = relay.directory().join("candidate.wasm");
    for (what, module, says) in refused() {
        std::fs::write(&file, module).unwrap();
        let path = file.to_string_lossy();
        let told = relay.refuses(&["policy", "activate", &path, "--name", "guest"]);
        for words in says {
            assert!(told.contains(words), "{what}: {told}");
        }
        assert!(told.contains("policy \"guest\""), "{what}: {told}");
        assert_eq!(status(&relay, "guest"), before, "{what}");
        assert_eq!(send(&relay, INNOCENT).code, 250, "{what}");
        assert_eq!(sink.take().header("X-Version").as_deref(), Some("one"));
    }
    relay.leaves_nothing(sink);
}

/// The settings are those of the policy, and a new version has to understand them.
#[test]
fn settings_that_the_module_does_not_know_are_named() {
    let sink = Sink::start();
    let guest = Guest::new("marks");
    let relay = guest
        .relay(&sink)
        .with("settings = { version = \"first\" }")
        .start();
    for (other, says) in [
        (policy_file("header-guard"), "'version' was unexpected"),
        (
            hostile_file("version_one"),
            "no setting is allowed here (found 'version')",
        ),
    ] {
        let other = other.to_string_lossy();
        let told = relay.refuses(&["policy", "activate", &other, "--name", "guest"]);
        assert!(told.contains("the settings are not valid"), "{told}");
        assert!(told.contains(says), "{told}");
    }
    relay.leaves_nothing(sink);
}

#[test]
fn unknown_policies_files_and_versions_are_named() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let told = relay.refuses(&["policy", "activate", "nowhere.wasm"]);
    assert!(
        told.contains("cannot read the module nowhere.wasm"),
        "{told}"
    );
    let file = relay.directory().join("spam-guard.wasm");
    std::fs::write(&file, hostile("version_one")).unwrap();
    let told = relay.refuses(&["policy", "activate", &file.to_string_lossy()]);
    let known = "no policy of this name; it has header-guard, loop-guard, outbound-route";
    assert!(told.contains(known), "{told}");
    assert!(told.contains("give another name with --name"), "{told}");
    let told = relay.refuses(&["policy", "rollback", "loop-guard"]);
    assert!(told.contains("no earlier version"), "{told}");
    relay.leaves_nothing(sink);
}

/// A module with other octets of the same length in all places of some.
fn replaced(mut module: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut at = 0;
    while let Some(found) = module[at..].windows(from.len()).position(|w| w == from) {
        at += found;
        module[at..at + to.len()].copy_from_slice(to);
    }
    module
}
