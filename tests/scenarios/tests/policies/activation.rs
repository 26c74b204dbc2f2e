//! `gatepost policy activate` puts a module in use while mail flows, `rollback` brings back the
//! version before, and `list` says which is in use.

use serde_json::Value;
use test_support::{Relay, Sink, hostile_file, policy_file};

use crate::{Guest, INNOCENT, send, status};

#[test]
fn a_version_is_activated_and_rolled_back() {
    let sink = Sink::start();
    let guest = Guest::new("version_one");
    let relay = guest.relay(&sink).start();
    let marked = |version: &str| {
        assert_eq!(send(&relay, INNOCENT).code, 250);
        assert_eq!(sink.take().header("X-Version").as_deref(), Some(version));
    };
    let one = status(&relay, "guest");
    assert_eq!(one["previous"], Value::Null);
    marked("one");

    let file = hostile_file("version_two");
    let activated = swap(
        &relay,
        &["activate", &file.to_string_lossy(), "--name", "guest"],
    );
    let two = status(&relay, "guest");
    assert_eq!(activated["old"], one["digest"]);
    assert_eq!(activated["new"], two["digest"]);
    assert_eq!(two["previous"], one["digest"]);
    assert_ne!(two["digest"], one["digest"]);
    marked("two");

    let back = swap(&relay, &["rollback", "guest"]);
    assert_eq!(
        (&back["old"], &back["new"]),
        (&two["digest"], &one["digest"])
    );
    assert_eq!(status(&relay, "guest")["digest"], one["digest"]);
    marked("one");

    // A rollback can be undone in the same way.
    swap(&relay, &["rollback", "guest"]);
    assert_eq!(status(&relay, "guest")["digest"], two["digest"]);
    marked("two");

    // The configuration names the same file as before: a reload leaves what was activated.
    relay.reload();
    assert_eq!(status(&relay, "guest")["digest"], two["digest"]);
    assert_eq!(status(&relay, "guest")["configured"], one["digest"]);
    marked("two");
    // A command that judges by the configuration says that this is another one.
    let message = relay.directory().join("message.eml");
    std::fs::write(&message, INNOCENT).unwrap();
    let message = message.to_string_lossy();
    let told = |command: &[&str]| {
        let output = relay.command(&[command, &[&message, "--json"]].concat());
        let judged: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(judged["policies"][0]["digest"], one["digest"]);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for command in [&["check"][..], &["policy", "run"]] {
        let told = told(command);
        let lines: Vec<_> = told
            .lines()
            .filter(|line| line.contains("by hand"))
            .collect();
        assert_eq!(lines.len(), 1, "{told}");
        for version in [&one, &two] {
            let digest = version["digest"].as_str().unwrap();
            assert!(lines[0].contains(&digest[..12]), "{told}");
        }
    }
    let ended = swap(&relay, &["activate", "--configured", "guest"]);
    assert_eq!(ended["new"], one["digest"]);
    assert_eq!(status(&relay, "guest")["configured"], Value::Null);
    assert_eq!(told(&["check"]), "");
    marked("one");
    relay.leaves_nothing(sink);
}

/// Transactions that began with one version end with it, however long the client takes.
#[test]
fn a_transaction_in_hand_keeps_its_version() {
    let sink = Sink::start();
    let relay = Guest::new("version_one").relay(&sink).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let begin = client.command("MAIL FROM:<ann@sender.example>", 250);
    let one = status(&relay, "guest")["digest"].take();
    let file = hostile_file("version_two");
    let two = swap(
        &relay,
        &["activate", &file.to_string_lossy(), "--name", "guest"],
    );
    client.command("RCPT TO:<help@desk.example>", 250);
    client.command("DATA", 354);
    client.send([INNOCENT, b".\r\n"].concat()).unwrap();
    client.expect(250);
    assert_eq!(sink.take().header("X-Version").as_deref(), Some("one"));
    let judgements = relay.judgements(&begin.transaction());
    assert_eq!(judgements.len(), 1, "{judgements:?}");
    assert_eq!(judgements[0]["digest"], one);

    // The next one in the same session has the new version.
    let next = client
        .deliver("ann@sender.example", &["help@desk.example"], INNOCENT)
        .unwrap();
    assert_eq!(sink.take().header("X-Version").as_deref(), Some("two"));
    let judgements = relay.judgements(&next.transaction());
    assert_eq!(judgements[0]["digest"], two["new"]);
    drop(client);
    relay.leaves_nothing(sink);
}

/// cargo writes `loop_guard.wasm` for the policy that everybody calls loop-guard.
#[test]
fn the_file_says_which_policy_it_is() {
    let sink = Sink::start();
    let relay = test_support::RelayBuilder::usual(sink.address()).start();
    let before = status(&relay, "loop-guard");
    let file = policy_file("loop-guard");
    assert!(file.ends_with("loop_guard.wasm"));
    let swapped = swap(&relay, &["activate", &file.to_string_lossy()]);
    assert_eq!(swapped["policy"], "loop-guard");
    // It is the module that the relay has built in.
    assert_eq!(swapped["new"], before["digest"]);
    let now = status(&relay, "loop-guard");
    assert_eq!(now["digest"], before["digest"]);
    assert_eq!(now["previous"], Value::Null, "there is no other module");
    relay.leaves_nothing(sink);
}

fn swap(relay: &Relay, arguments: &[&str]) -> Value {
    let mut swaps = relay.json(&[&["policy"], arguments].concat());
    assert_eq!(swaps.len(), 1, "{swaps:?}");
    swaps.remove(0)
}
