//! Connections are reused, and one that has died unnoticed costs no attempt.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{
    Act, Moment, NextHopServer, ObserverCall, Offer, PATIENCE, Relay, message, route_all_to,
};
use gatepost_model::{Routing, TlsMode};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

/// Sends three messages, each after the previous one has arrived.
async fn three(relay: &mut Relay) {
    for subject in ["first", "second", "third"] {
        relay
            .accept("alice@a.example", &["bob@b.example"], &message(subject))
            .await;
        let ended = relay.ended(1).await;
        assert_eq!(ended[0].1, "delivered", "{ended:?}");
    }
}

#[tokio::test]
async fn one_connection_carries_many_messages() {
    let server = NextHopServer::accepting_everything().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    three(&mut relay).await;
    assert_eq!(server.connections(), 1);
    let greetings = server
        .commands()
        .iter()
        .filter(|(_, line)| line.starts_with("EHLO"))
        .count();
    assert_eq!(greetings, 1);

    // At the end it is closed by QUIT.
    relay.drain(Duration::from_secs(10)).await;
    assert_eq!(server.commands().last().unwrap().1, "QUIT");
}

#[tokio::test]
async fn a_connection_ends_after_its_number_of_transactions() {
    let server = NextHopServer::accepting_everything().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.reuse.transactions = 2;
    });
    three(&mut relay).await;
    let connections: Vec<_> = server.received().iter().map(|one| one.connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}

#[tokio::test]
async fn the_longest_idle_connection_ends_when_there_are_too_many() {
    let (quit, mut gone) = tokio::sync::mpsc::unbounded_channel();
    let first = NextHopServer::start(Offer::usual(), move |_, moment| {
        if let Moment::Command("QUIT") = moment {
            quit.send(()).unwrap();
        }
        None
    })
    .await;
    let second = NextHopServer::accepting_everything().await;
    let hops = [first.hop(TlsMode::None), second.hop(TlsMode::None)];
    let by_domain = move |_: &_, recipient: &gatepost_spool::ClaimedRecipient| {
        let second = recipient.address.domain() == "second.example";
        Routing::Deliver(hops[usize::from(second)].clone().into())
    };
    let mut relay = Relay::start(by_domain, |settings| {
        settings.reuse.idle = Duration::from_secs(3600);
        settings.reuse.most_idle = 1;
    });
    for to in [
        "bob@first.example",
        "bob@second.example",
        "ann@second.example",
    ] {
        relay
            .accept("alice@a.example", &[to], &message("one"))
            .await;
        relay.ended(1).await;
    }
    timeout(PATIENCE, gone.recv()).await.unwrap().unwrap();
    assert_eq!(
        second.connections(),
        1,
        "the one that was used last is kept"
    );
}

#[tokio::test]
async fn an_idle_connection_is_closed_with_quit() {
    let (quit, mut gone) = tokio::sync::mpsc::unbounded_channel();
    let server = NextHopServer::start(Offer::usual(), move |_, moment| {
        if let Moment::Command("QUIT") = moment {
            quit.send(()).unwrap();
        }
        None
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.reuse.idle = Duration::ZERO;
    });
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("one"))
        .await;
    relay.ended(1).await;
    tokio::time::timeout(crate::support::PATIENCE, gone.recv())
        .await
        .unwrap();
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("two"))
        .await;
    relay.ended(1).await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_reused_connection_that_was_closed_costs_no_attempt() {
    // The second message makes each connection close, by one means or another.
    for act in [
        Act::Close,
        Act::SayAndClose("421 4.4.2 idle for too long".to_owned()),
    ] {
        let seen = std::sync::Mutex::new(std::collections::HashSet::new());
        let server = NextHopServer::start(Offer::usual(), move |connection, moment| match moment {
            Moment::Command(line) if line.starts_with("MAIL") => {
                (!seen.lock().unwrap().insert(connection)).then(|| act.clone())
            }
            _ => None,
        })
        .await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
        three(&mut relay).await;
        assert_eq!(server.connections(), 3);
        assert_eq!(server.received().len(), 3);
    }
}

#[tokio::test]
async fn a_new_connection_that_dies_costs_an_attempt() {
    let server = NextHopServer::start(Offer::usual(), |_, moment| match moment {
        Moment::Command(line) if line.starts_with("MAIL") => Some(Act::Close),
        _ => None,
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("doomed"))
        .await;
    assert_eq!(relay.ended(1).await[0].1, "deferred");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn connections_to_a_next_hop_are_limited() {
    let (open, most) = (
        std::sync::Mutex::new(0_u32),
        std::sync::Arc::new(std::sync::Mutex::new(0_u32)),
    );
    let record = std::sync::Arc::clone(&most);
    let server = NextHopServer::start(Offer::usual(), move |_, moment| {
        let mut open = open.lock().unwrap();
        match moment {
            Moment::Command(line) if line.starts_with("MAIL") => *open += 1,
            Moment::EndOfData => *open -= 1,
            _ => {}
        }
        let mut most = record.lock().unwrap();
        *most = (*most).max(*open);
        None
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.connections_per_next_hop = 2;
        settings.messages_in_flight = 10;
    });
    relay.delivers_numbered(20).await;
    assert!(server.connections() <= 2, "{}", server.connections());
    assert!(*most.lock().unwrap() <= 2);
}

#[tokio::test]
async fn a_message_without_a_free_connection_returns_without_an_attempt() {
    let (server, mut hangs) = NextHopServer::hanging_after_data().await;
    let relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.connections_per_next_hop = 1;
        settings.messages_in_flight = 2;
        settings.wait_for_connection = Duration::from_millis(1);
    });
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("hog"))
        .await;
    tokio::time::timeout(crate::support::PATIENCE, hangs.recv())
        .await
        .unwrap();
    let id = relay
        .accept("alice@a.example", &["bob@b.example"], &message("patient"))
        .await;
    // Whether it is just being tried or waits again, it never counts as an attempt.
    let (_, spool, _directory) = relay.drain(Duration::from_millis(10)).await;
    use gatepost_spool::QueueAdmin;
    let record = spool.show(id).await.unwrap().unwrap();
    assert_eq!(record.summary.recipients[0].attempts, 0);
}

#[tokio::test]
async fn a_message_that_never_gets_a_connection_expires() {
    let (server, mut hangs) = NextHopServer::hanging_after_data().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.connections_per_next_hop = 1;
        settings.wait_for_connection = Duration::from_millis(1);
    });
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("hog"))
        .await;
    tokio::time::timeout(crate::support::PATIENCE, hangs.recv())
        .await
        .unwrap();
    relay
        .accept("alice@a.example", &["carol@b.example"], &message("patient"))
        .await;
    relay.pass(Duration::from_secs(6 * 24 * 60 * 60));
    loop {
        let told = relay.next_call().await;
        if !matches!(&told, ObserverCall::Ended { recipient, .. } if recipient == "carol@b.example")
        {
            continue;
        }
        let (_, word, reply) = told.ended();
        assert_eq!(word, "failed");
        assert!(reply.to_string().starts_with("554 5.4.7"), "{reply}");
        break;
    }
}

/// An attempt that began with former settings counts towards the limit, and its connection is not
/// reused by attempts with other settings.
#[tokio::test]
async fn connections_are_counted_over_a_reload() {
    let (come, mut came) = tokio::sync::mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let held = Arc::clone(&go_on);
    let server = NextHopServer::start(Offer::usual(), move |connection, moment| {
        let first = connection == 0 && matches!(moment, Moment::EndOfData);
        first.then(|| {
            come.send(()).unwrap();
            Act::SayAfter(Arc::clone(&held), "250 2.0.0 ok".to_owned())
        })
    })
    .await;
    let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let hop = server.hop(TlsMode::None);
    let router = move |_: &_, _: &_| {
        ask.send(()).unwrap();
        Routing::Deliver(hop.clone().into())
    };
    let mut relay = Relay::start(router, |settings| {
        settings.connections_per_next_hop = 1;
        settings.wait_for_connection = Duration::ZERO;
    });
    let to = ["bob@b.example"];
    relay.accept("", &to, &message("one")).await;
    next(&mut asked).await;
    next(&mut came).await;

    relay.reload(|settings| settings.hostname = "other.example".to_owned());
    relay.accept("", &to, &message("two")).await;
    next(&mut asked).await;
    // It returns to the queue with its route, and is claimed again.
    relay.pass(Duration::from_secs(2));
    go_on.notify_one();
    relay.pass(Duration::from_secs(2));
    for (_, end, reply) in relay.ended(2).await {
        assert_eq!(end, "delivered", "{reply}");
    }
    assert!(asked.try_recv().is_err(), "the router was asked again");
    let greetings = server.commands();
    let greetings: Vec<_> = (greetings.iter())
        .filter(|(_, line)| line.starts_with("EHLO"))
        .map(|(connection, line)| (*connection, line.as_str()))
        .collect();
    assert_eq!(
        greetings,
        [(0, "EHLO relay.example"), (1, "EHLO other.example")]
    );
}

async fn next(events: &mut UnboundedReceiver<()>) {
    let event = timeout(PATIENCE, events.recv()).await;
    event.expect("nothing came").unwrap();
}
