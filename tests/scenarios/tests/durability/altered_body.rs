//! A body that was altered while the relay was stopped, its length the same, goes to nobody: the
//! message is held, loudly, and delivered whole once the body is put back.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use test_support::{RelayBuilder, Sink};

use crate::{accepted_large, doctor, without_next_hop};

#[test]
fn an_altered_body_is_held_until_it_is_restored() {
    let directory = tempfile::tempdir().unwrap();
    let mut relay = without_next_hop(directory.path()).start();
    let size = accepted_large(&relay, 50_000, 1);
    assert!(relay.terminate().success());

    let incoming = directory.path().join("store/incoming");
    let body = incoming.read_dir().unwrap().next().unwrap().unwrap();
    let write = |octet: &[u8]| {
        let file = File::options().write(true).open(body.path()).unwrap();
        file.write_all_at(octet, 300_000).unwrap();
    };
    let mut saved = [0];
    let file = File::open(body.path()).unwrap();
    file.read_exact_at(&mut saved, 300_000).unwrap();
    write(b"!");
    let (code, said) = doctor(&relay);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is not what was written"), "{said}");

    let sink = Sink::start();
    relay = RelayBuilder::usual(sink.address())
        .directory(directory.path())
        .start();
    // It fails where the message has left already.
    relay.command(&["queue", "retry", "--all"]);
    relay.logged("a message is held because its body is damaged");
    // It is on record a moment later.
    relay.logged("attempt ended");
    let held = format!("{:?}", relay.json(&["queue", "list", "--messages"]));
    assert!(
        held.contains("\"held\"") && held.contains("damaged"),
        "{held}"
    );

    write(&saved);
    relay.json(&["queue", "release", "--all"]);
    let taken = sink.take();
    assert_eq!(taken.from, "ann@sender.example", "it did not bounce");
    assert!(taken.size >= size);
    relay.leaves_nothing(sink);
}
