//! The disk runs full: clients are told to come again before a delivery could no longer be
//! recorded, nothing accepted is lost, and service resumes by itself.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use test_support::{PATIENCE, RelayBuilder, Sink};

/// A file system of its own, unmounted at the end.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    /// Mounts one, if that is allowed. Says so, in one line, where it is not.
    fn mount(at: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
            .arg(at);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        eprintln!("SKIPPED: a small disk cannot be mounted here (needs root)");
        None
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[test]
fn intake_stops_when_the_disk_runs_full_and_resumes() {
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(directory.path()) else {
        return;
    };
    let sink = Sink::start();
    // Nobody takes the mail until the disk is full.
    let usual = RelayBuilder::usual(sink.address())
        .with("[relay]\nhostname = \"mx.desk.example\"\nstore = \"store\"\nmin-free = \"8MiB\"\n")
        .directory(directory.path());
    let port = format!("port = {}", sink.address().port());
    let mut relay = usual.clone().replace(&port, "port = 1").start();
    let mut client = relay.client("mx");
    client.ehlo();
    let body = "0123456789 and so on until the disk is full\r\n".repeat(4_000);
    let mut accepted = 0;
    let refused = loop {
        let message = format!("From: <a@sender.example>\r\nX-Number: {accepted}\r\n\r\n{body}");
        let reply = client
            .deliver("a@sender.example", &["b@desk.example"], message.as_bytes())
            .unwrap();
        if reply.code != 250 {
            break reply;
        }
        accepted += 1;
        assert!(accepted < 500, "the disk never runs full");
    };
    assert_eq!(refused.code, 452, "{}", refused.text());
    assert!(refused.text().starts_with("4.3.1"), "{}", refused.text());
    assert!(accepted > 5, "accepted {accepted}");
    // The queue is intact, and what happens to it is still recorded.
    assert_eq!(relay.json(&["queue", "list", "--messages"]).len(), accepted);

    // Something else fills what was left, to the last octet; then it goes away again.
    let ballast = directory.path().join("ballast");
    let _ = fs::write(&ballast, vec![0; 32 << 20]);
    let reply = client
        .deliver(
            "a@sender.example",
            &["b@desk.example"],
            b"Subject: small\r\n\r\nsmall\r\n",
        )
        .unwrap();
    assert_eq!(reply.code, 452, "{}", reply.text());
    fs::remove_file(&ballast).unwrap();

    // The next hop is back: everything is delivered, the disk has room, and mail is taken again.
    relay.terminate();
    let relay = usual.start();
    let mut numbers: Vec<usize> = (0..accepted)
        .map(|_| sink.take().header("X-Number").unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..accepted).collect::<Vec<_>>());
    let message = b"From: <a@sender.example>\r\nX-Number: again\r\n\r\nbody\r\n";
    // What was delivered is given back to the file system in the background.
    let begun = Instant::now();
    loop {
        let mut client = relay.client("mx");
        client.ehlo();
        let reply = client
            .deliver("a@sender.example", &["b@desk.example"], message)
            .unwrap();
        if reply.code == 250 {
            break;
        }
        assert_eq!(reply.code, 452, "{}", reply.text());
        assert!(
            begun.elapsed() < PATIENCE,
            "mail is not taken again: {}",
            reply.text()
        );
    }
    assert_eq!(sink.take().header("X-Number").as_deref(), Some("again"));
    drop(relay);
    drop(disk);
}
