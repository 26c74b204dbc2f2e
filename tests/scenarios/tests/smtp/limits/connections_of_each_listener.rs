//! Whoever takes every connection that one listener may give leaves the others theirs; and while
//! few are left, who is silent has less time, and makes room.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use test_support::{Client, PATIENCE, Relay, RelayBuilder, Sink};

use crate::MESSAGE;

/// Of 40 connections each of two listeners has 10 for itself.
const LIMITS: &str = "[limits]\nconnections = 40\nconnections-per-address = 2";

fn address(number: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 1, number).into()
}

/// Connects to mx from twenty addresses, twice from each, and keeps whom it greets.
fn fill(relay: &Relay) -> Vec<Client> {
    let mut inside = Vec::new();
    for number in (1..=20).chain(1..=20) {
        let mut client = Client::connect_from(address(number), relay.address("mx")).unwrap();
        match client.reply().unwrap().code {
            220 => inside.push(client),
            code => assert_eq!(code, 421),
        }
    }
    inside
}

#[test]
fn a_flood_on_one_listener_leaves_the_other_open() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).with(LIMITS).start();
    let idle = fill(&relay);
    assert_eq!(idle.len(), 30);
    let mut more = Client::connect(relay.address("mx")).unwrap();
    assert_eq!(more.expect(421).enhanced(), Some("4.7.0"));

    let submitting = Client::greeted(relay.address("submission"));
    let mut submitting = submitting.authenticated("user", "secret");
    let to = ["somebody@elsewhere.example"];
    let reply = submitting.deliver("user@desk.example", &to, MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    sink.take();
    drop((idle, more, submitting));
    relay.leaves_nothing(sink);
}

/// The time that a client may be silent, 64 seconds, is a sixty-fourth of that by now; four times as
/// much in the middle of a transaction.
#[test]
fn silent_clients_make_room_and_who_sends_keeps_its_place() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with(&format!("{LIMITS}\nidle = \"64s\""))
        .start();
    let mut sending = relay.client("mx");
    sending.ehlo();
    sending.command("MAIL FROM:<ann@sender.example>", 250);
    sending.command("RCPT TO:<user@desk.example>", 250);
    sending.command("DATA", 354);
    let (first, rest) = MESSAGE.split_at(MESSAGE.len() / 2);
    sending.send(first).unwrap();

    let begun = Instant::now();
    let mut idle = fill(&relay);
    assert_eq!(idle.len(), 29);
    let closed = idle[0].expect(421);
    assert_eq!(closed.enhanced(), Some("4.4.2"));
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    sending.send([rest, b".\r\n"].concat()).unwrap();
    sending.expect(250);
    sink.take();
    drop(sending);

    // There is room for others now.
    let begun = Instant::now();
    while Client::connect(relay.address("mx"))
        .unwrap()
        .reply()
        .unwrap()
        .code
        != 220
    {
        assert!(begun.elapsed() < PATIENCE, "no place becomes free");
    }
    drop(idle);
    relay.leaves_nothing(sink);
}
