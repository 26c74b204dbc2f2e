//! A body that is not what was stored is not sent: its message is held until an operator repairs
//! it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use crate::support::{NextHopServer, Relay, route_all_to};
use gatepost_message::TransactionId;
use gatepost_model::TlsMode;
use gatepost_spool::{InitialState, QueueAdmin as _, RecipientState, Selection};

const LATER: Duration = Duration::from_secs(3600);

/// Makes a message too large for the database, in ASCII or not.
fn large(fill: &str) -> Vec<u8> {
    let lines = format!("{}\r\n", fill.repeat(20)).repeat(20_000);
    format!("From: a@a.example\r\nSubject: large\r\n\r\n{lines}").into_bytes()
}

/// Accepts a message that is due later, and changes its file meanwhile.
async fn changed(relay: &Relay, raw: &[u8], change: impl FnOnce(&Path, &[u8])) -> TransactionId {
    let due = relay.now() + LATER;
    let later = |message: &mut gatepost_spool::NewMessage| {
        for to in &mut message.recipients {
            to.state = InitialState::Queued { next_attempt: due };
        }
    };
    let to = ["bob@b.example", "carol@b.example"];
    let id = relay.accept_with("alice@a.example", &to, raw, later).await;
    change(&relay.body(id), raw);
    relay.pass(LATER);
    id
}

#[tokio::test]
async fn a_message_with_an_altered_body_is_held_until_repaired() {
    for fill in ["abcd ", "\u{fc}ber "] {
        let raw = large(fill);
        let server = NextHopServer::accepting_everything().await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
        let at = raw.len() - 100;
        let alter = |path: &Path, octets: &[u8]| {
            let file = File::options().write(true).open(path).unwrap();
            file.write_all_at(octets, at as u64).unwrap();
        };
        let id = changed(&relay, &raw, |path, _| alter(path, b"!")).await;
        for (recipient, outcome, reply) in relay.ended(2).await {
            assert_eq!(outcome, "held", "{recipient}");
            assert!(reply.to_string().contains("damaged"), "{reply}");
        }
        assert!(server.received().is_empty());
        let queue = relay.queue().await;
        for to in &queue[0].recipients {
            assert_eq!(to.state, RecipientState::Held);
            let said = to.last_reply.as_ref().unwrap().to_string();
            assert!(said.contains("damaged"), "{said}");
        }

        // Released without a repair, it is held again.
        let released = relay.spool.release(Selection::message(id), relay.now());
        released.await.unwrap();
        assert!(relay.ended(2).await.iter().all(|one| one.1 == "held"));

        alter(&relay.body(id), &raw[at..=at]);
        let released = relay.spool.release(Selection::message(id), relay.now());
        released.await.unwrap();
        assert!(relay.ended(2).await.iter().all(|one| one.1 == "delivered"));
        assert_eq!(server.received()[0].data, raw);
        assert_eq!(relay.queue().await, []);
    }
}

#[tokio::test]
async fn a_message_with_a_cut_body_is_held() {
    let raw = large("abcd ");
    let server = NextHopServer::accepting_everything().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    changed(&relay, &raw, |path, octets| {
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(octets.len() as u64 - 7).unwrap();
    })
    .await;
    assert!(relay.ended(2).await.iter().all(|one| one.1 == "held"));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_message_with_a_missing_body_is_deferred() {
    let raw = large("abcd ");
    let server = NextHopServer::accepting_everything().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    changed(&relay, &raw, |path, _| std::fs::remove_file(path).unwrap()).await;
    assert!(relay.ended(2).await.iter().all(|one| one.1 == "deferred"));
    assert!(server.received().is_empty());
}
