//! While the configuration is put in use again and again, no connection is dropped, no mail refused
//! and none lost: not of those that are idle, nor of those that are in the middle of a message.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use test_support::{Client, RelayBuilder, Sink};

use crate::MESSAGE;

const SESSIONS: usize = 50;
const RELOADS: usize = 4;

#[test]
fn sessions_and_other_mail_live_through_a_reload() {
    let sink = Sink::start();
    let builder =
        RelayBuilder::usual(sink.address()).with("[limits]\nconnections-per-address = 100");
    let relay = builder.clone().start();
    let mut sessions: Vec<_> = (0..SESSIONS)
        .map(|_| {
            let client = relay.client("submission");
            client.authenticated("user", "secret")
        })
        .collect();
    for client in &mut sessions[SESSIONS / 2..] {
        client.command("MAIL FROM:<help@desk.example>", 250);
        client.command("RCPT TO:<ann@customer.example>", 250);
        client.command("DATA", 354);
        client.send(&MESSAGE[..20]).unwrap();
    }

    let mx = relay.address("mx");
    let over = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let flow = scope.spawn(|| {
            let mut sent = 0;
            while !over.load(Ordering::Acquire) {
                let mut client = Client::greeted(mx);
                client.ehlo();
                let to = ["x@desk.example"];
                let reply = client.deliver("ann@sender.example", &to, MESSAGE).unwrap();
                assert_eq!(reply.code, 250, "{}", reply.text());
                sent += 1;
            }
            sent
        });
        for number in 0..RELOADS {
            let other = builder
                .clone()
                .replace(
                    "retry = ",
                    &format!("messages-in-flight = {}\nretry = ", 10 + number),
                )
                .with(&format!("recipients = {}", 100 + number))
                .with(&format!("[[account]]\nid = \"a{number}\""));
            relay.reloads(&other);
        }
        over.store(true, Ordering::Release);
        flow.join().unwrap()
    });
    assert!(sent > 0);

    for client in &mut sessions[..SESSIONS / 2] {
        client.command("MAIL FROM:<help@desk.example>", 250);
        client.command("RCPT TO:<ann@customer.example>", 250);
        client.command("DATA", 354);
        client.send(&MESSAGE[..20]).unwrap();
    }
    for client in &mut sessions {
        client.send([&MESSAGE[20..], b".\r\n"].concat()).unwrap();
        client.expect(250);
        client.command("QUIT", 221);
    }
    for _ in 0..SESSIONS + sent {
        sink.take();
    }
    relay.leaves_nothing(sink);
}
