//! The schedule of retries, and the stop of delivery.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{
    Act, Moment, NextHopServer, Offer, PATIENCE, Relay, message, route_all_to, say,
};
use gatepost_message::{Millis, TransactionId};
use gatepost_model::TlsMode;
use gatepost_spool::{Owner, Queue, QueueAdmin, RecipientState, SqliteSpool};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

const MINUTE: Duration = Duration::from_secs(60);

/// Returns the attempts at the one recipient of a queued message, and when the next is due.
async fn waiting(spool: &SqliteSpool, id: TransactionId) -> (u32, Millis) {
    let record = spool.show(id).await.unwrap().unwrap();
    let [recipient] = record.summary.recipients.as_slice() else {
        panic!("{:?}", record.summary.recipients);
    };
    let RecipientState::Queued { next_attempt } = recipient.state else {
        panic!("{:?}", recipient.state);
    };
    (recipient.attempts, next_attempt)
}

#[tokio::test]
async fn a_deferred_recipient_is_tried_again_when_it_is_due_and_not_before() {
    let server = NextHopServer::start(Offer::usual(), |_, moment| match moment {
        Moment::Command(line) if line.starts_with("RCPT") => say("451 4.3.0 not now"),
        _ => None,
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let mut before = relay.now();
    let id = relay
        .accept("alice@a.example", &["bob@b.example"], &message("again"))
        .await;
    for (attempts, wait) in [(1, MINUTE), (2, 5 * MINUTE), (3, 15 * MINUTE)] {
        let ended = relay.ended(1).await;
        assert_eq!(
            (ended[0].1, ended[0].2.to_string()),
            ("deferred", "451 4.3.0 not now".to_owned())
        );
        let (tried, next_attempt) = waiting(&relay.spool, id).await;
        assert_eq!(tried, attempts);
        assert!((before + wait..=relay.now() + wait).contains(&next_attempt));
        // Shortly before, nothing is due: a claim returns nothing.
        let early = next_attempt - Duration::from_millis(1);
        assert!(
            relay
                .spool
                .claim(Owner::new(), early, 1, MINUTE)
                .await
                .unwrap()
                .is_empty()
        );
        before = relay.now();
        relay.pass(next_attempt.since(before));
    }
}

#[tokio::test]
async fn the_scheduler_wakes_when_mail_is_due() {
    let server = NextHopServer::start(Offer::usual(), |connection, moment| match moment {
        Moment::Connected if connection < 3 => say("421 4.3.2 not yet"),
        _ => None,
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.retry.schedule = vec![Duration::from_millis(5)];
    });
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("soon"))
        .await;
    for word in ["deferred", "deferred", "deferred", "delivered"] {
        assert_eq!(relay.ended(1).await[0].1, word);
    }
}

#[tokio::test]
async fn messages_beyond_the_limit_in_flight_are_delivered_later() {
    let server = NextHopServer::accepting_everything().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.messages_in_flight = 3;
    });
    relay.delivers_numbered(30).await;
    assert_eq!(server.received().len(), 30);
    assert_eq!(relay.queue().await, []);
}

#[tokio::test]
async fn drain_returns_attempts_that_do_not_end_in_time() {
    let (server, mut thinking) = NextHopServer::hanging_after_data().await;
    let relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let id = relay
        .accept("alice@a.example", &["bob@b.example"], &message("stuck"))
        .await;
    timeout(PATIENCE, thinking.recv()).await.unwrap();
    let (drained, spool, _directory) = relay.drain(Duration::from_millis(10)).await;
    assert_eq!((drained.finished, drained.returned), (0, 1));
    let (attempts, next_attempt) = waiting(&spool, id).await;
    assert_eq!(attempts, 0);
    assert!(next_attempt <= Millis::now());
}

#[tokio::test]
async fn drain_lets_running_attempts_end() {
    let (tell, mut arrived) = mpsc::unbounded_channel();
    let allowed = Arc::new(Notify::new());
    let answer = Act::SayAfter(Arc::clone(&allowed), "250 2.0.0 at last".to_owned());
    let server = NextHopServer::start(Offer::usual(), move |_, moment| match moment {
        Moment::EndOfData => {
            tell.send(()).unwrap();
            Some(answer.clone())
        }
        _ => None,
    })
    .await;
    let relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("last"))
        .await;
    timeout(PATIENCE, arrived.recv()).await.unwrap();
    let draining = tokio::spawn(relay.drain(PATIENCE));
    // So that the drain has begun when the answer comes.
    tokio::task::yield_now().await;
    allowed.notify_one();
    let (drained, spool, _directory) = draining.await.unwrap();
    assert_eq!((drained.finished, drained.returned), (1, 0));
    assert_eq!(spool.list(Default::default()).await.unwrap(), []);
}

#[tokio::test]
async fn nothing_is_claimed_after_a_drain() {
    let server = NextHopServer::accepting_everything().await;
    let relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let (drained, spool, _directory) = relay.drain(PATIENCE).await;
    assert_eq!((drained.finished, drained.returned), (0, 0));
    assert_eq!(spool.next_due().await.unwrap(), None);
    assert_eq!(server.connections(), 0);
}
