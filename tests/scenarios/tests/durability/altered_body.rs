//! A body that was altered while the relay was stopped, its length the same, goes to nobody: the
//! message is held, loudly, and delivered whole once the body is put back.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use test_support::{RelayBuilder, Sink};

use crate::doctor;

#[test]
fn an_altered_body_is_held_until_it_is_restored() {
    // Nobody listens there: what is accepted stays.
    let nowhere = "127.0.0.1:9".parse().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let builder = RelayBuilder::usual(nowhere).directory(directory.path());
    let mut relay = builder.clone().start();
    let large = [
        &b"From: Ann <ann@sender.example>\r\nSubject: large\r\n\r\n"[..],
        &b"and so on\r\n".repeat(50_000),
    ]
    .concat();
    let mut client = relay.client("mx");
    client.ehlo();
    let reply = client.deliver("ann@sender.example", &["x@desk.example"], &large);
    assert_eq!(reply.unwrap().code, 250);
    drop(client);
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
    relay.json(&["queue", "retry", "--all"]);
    relay.logged("a message is held because its body is damaged");
    // It is on record a moment later.
    relay.logged("attempt ended");
    let held = format!("{:?}", relay.json(&["queue", "list"]));
    assert!(
        held.contains("\"held\"") && held.contains("damaged"),
        "{held}"
    );

    write(&saved);
    relay.json(&["queue", "release", "--all"]);
    let taken = sink.take();
    assert_eq!(taken.from, "ann@sender.example", "it did not bounce");
    assert!(taken.size >= large.len() as u64);
    relay.leaves_nothing(sink);
}
