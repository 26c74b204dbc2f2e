//! A next hop that accepts a few recipients in a transaction gets the others in further ones, at
//! once.

use std::collections::HashMap;
use std::sync::Mutex;

use gatepost_model::TlsMode;

use crate::support::{Act, Moment, NextHopServer, Offer, Relay, message, route_all_to};

/// Starts a server that accepts `most` recipients in a transaction, and gives this reply to one
/// more.
async fn taking(most: usize, reply: &'static str) -> NextHopServer {
    let taken: Mutex<HashMap<usize, usize>> = Mutex::default();
    NextHopServer::start(Offer::usual(), move |connection, moment| {
        let mut taken = taken.lock().unwrap();
        let taken = taken.entry(connection).or_default();
        match moment {
            Moment::Command(line) if line.starts_with("MAIL") => *taken = 0,
            Moment::Command(line) if line.starts_with("RCPT") => {
                if *taken == most {
                    return Some(Act::Say(reply.to_owned()));
                }
                *taken += 1;
            }
            _ => {}
        }
        None
    })
    .await
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("p{at}@b.example")).collect()
}

#[tokio::test]
async fn further_recipients_are_sent_at_once_and_once_each() {
    for reply in [
        "452 4.5.3 Too many recipients",
        "552 5.5.3 Maximum limit of 5 recipients reached",
        "552 Too many",
    ] {
        let server = taking(5, reply).await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
        let to = people(40);
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        relay.accept("alice@a.example", &to, &message("all")).await;
        let ended = relay.ended(40).await;
        assert!(ended.iter().all(|one| one.1 == "delivered"), "{ended:?}");
        let received = server.received();
        assert_eq!(received.len(), 8);
        assert_eq!(
            received
                .iter()
                .map(|one| one.recipients.len())
                .sum::<usize>(),
            40
        );
        // The limit is learned from the first transaction.
        let asked = server.commands();
        let asked = asked.iter().filter(|(_, line)| line.starts_with("RCPT"));
        assert_eq!(asked.count(), 40 + 35, "{reply}");
    }
}

#[tokio::test]
async fn a_refusal_of_all_recipients_counts_as_an_attempt() {
    let server = taking(0, "452 4.5.3 Too many recipients").await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("later"))
        .await;
    assert_eq!(relay.ended(1).await[0].1, "deferred");
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn a_full_mailbox_waits_for_the_schedule() {
    let server = taking(1, "452 4.2.2 Mailbox full").await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept(
            "alice@a.example",
            &["bob@b.example", "full@b.example"],
            &message("one of two"),
        )
        .await;
    let ended = relay.ended(2).await;
    let of = |who: &str| ended.iter().find(|one| one.0 == who).unwrap().1;
    assert_eq!(of("bob@b.example"), "delivered");
    assert_eq!(of("full@b.example"), "deferred");
    let asked = server.commands();
    assert_eq!(
        asked
            .iter()
            .filter(|(_, line)| line.starts_with("RCPT"))
            .count(),
        2
    );
}
