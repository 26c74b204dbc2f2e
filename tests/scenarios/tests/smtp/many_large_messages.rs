//! Large messages do not sit in memory by the hundred: 200 clients are in the middle of 25 MB
//! each, all at the same time, and the relay stays under 512 MB. Some then finish and are
//! delivered; the others go, and leave nothing.

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};

use test_support::{Client, PATIENCE, RelayBuilder, Sink, say};

use crate::trace_field_and_rest;

const SESSIONS: usize = 200;
const FINISHING: usize = 10;
/// The largest message that the relay takes by default.
const SIZE: usize = 25 << 20;
const MEMORY: u64 = 512 << 20;
/// The messages, those delivered a second time, and something for others.
const DISK: u64 = 8 << 30;

#[test]
fn two_hundred_large_messages_at_once_stay_out_of_memory() {
    let temporary = std::env::temp_dir();
    let disk = rustix::fs::statvfs(&temporary).unwrap();
    let free = disk.f_bavail * disk.f_frsize;
    if free < DISK {
        let (folder, free, needed) = (temporary.display(), free >> 20, DISK >> 20);
        say(&format!(
            "SKIPPED: {folder} has {free} MiB free, and {needed} are needed"
        ));
        return;
    }
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nconnections-per-address = 1000")
        .start();
    let mx = relay.address("mx");
    let before = relay.process().peak_memory();

    // Each client hands itself over when all but the end of its data is sent: so all are open
    // before the first ends.
    let (sender, sent) = channel();
    for _ in 0..SESSIONS {
        let sender = sender.clone();
        std::thread::spawn(move || send_all_but_the_end(mx, &sender));
    }
    let mut clients: Vec<Client> = (0..SESSIONS)
        .map(|_| sent.recv_timeout(PATIENCE).expect("a client has failed"))
        .collect();
    let open = relay.process().peak_memory();

    clients.truncate(FINISHING);
    for client in &mut clients {
        client.send(".\r\n").unwrap();
    }
    for client in &mut clients {
        client.expect(250);
    }
    for _ in 0..FINISHING {
        let taken = sink.take();
        let arrived = taken.bytes();
        assert_eq!(trace_field_and_rest(&arrived).1.len(), SIZE);
        std::fs::remove_file(&taken.file).unwrap();
    }
    let after = relay.process().peak_memory();
    let (before, open, peak, size) = (before >> 20, open >> 20, after >> 20, SIZE >> 20);
    say(&format!(
        "peak memory of the relay in MiB: {before} at rest, {open} with {SESSIONS} messages of {size} MiB open, \
         {peak} after {FINISHING} of them"
    ));
    assert!(after < MEMORY, "{after} octets");
    drop(clients);
    relay.leaves_nothing(sink);
}

fn send_all_but_the_end(relay: SocketAddr, done: &Sender<Client>) {
    let mut client = Client::greeted(relay);
    client.ehlo();
    client.command(&format!("MAIL FROM:<ann@sender.example> SIZE={SIZE}"), 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    let head = format!(
        "Subject: {}\r\n\r\n",
        "x".repeat(64 - "Subject: \r\n\r\n".len())
    );
    client.send(&head).unwrap();
    let lines = format!("{}\r\n", "y".repeat(62)).repeat(1024);
    let mut left = SIZE - head.len();
    while left > 0 {
        let piece = left.min(lines.len());
        client.send(&lines[..piece]).unwrap();
        left -= piece;
    }
    let _ = done.send(client);
}
