//! Messages reach their next hop whole, once, and every recipient gets its own reply.

use std::time::Duration;

use crate::support::{
    Act, Moment, NextHopServer, ObserverCall, Offer, Relay, message, route_all_to, say,
};
use gatepost_delivery::Limits;
use gatepost_model::{NextHop, Protocol, Routing, TlsMode};
use gatepost_smtp::Reply;
use gatepost_spool::AttemptOutcome;

#[tokio::test]
async fn a_message_is_delivered_once_and_leaves_the_queue() {
    let server = NextHopServer::accepting_everything().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::Opportunistic)), |_| {});
    let raw = message("once");
    let id = relay
        .accept(
            "alice@a.example",
            &["bob@b.example", "carol@b.example"],
            &raw,
        )
        .await;

    let ObserverCall::Ended {
        id: told,
        recipient,
        outcome,
        tls,
        policies,
    } = relay.next_call().await
    else {
        panic!("no end of an attempt");
    };
    assert_eq!((told, recipient.as_str(), tls), (id, "bob@b.example", None));
    assert_eq!(policies, ["closure"]);
    let AttemptOutcome::Delivered {
        reply,
        server: name,
    } = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(reply.to_string(), "250 2.0.0 taken");
    assert_eq!(name, format!("localhost:{}", server.address.port()));
    assert_eq!(relay.ended(1).await[0].0, "carol@b.example");

    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].data, raw);
    assert_eq!(
        received[0].mail,
        format!("MAIL FROM:<alice@a.example> SIZE={}", raw.len())
    );
    assert_eq!(
        received[0].recipients,
        ["RCPT TO:<bob@b.example>", "RCPT TO:<carol@b.example>"]
    );
    assert_eq!(relay.queue().await, []);
}

#[tokio::test]
async fn a_large_message_streams_from_its_file_unchanged() {
    let server = NextHopServer::accepting_everything().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let mut raw = message("large");
    for line in 0..60_000 {
        raw.extend_from_slice(
            format!(".line {line} of a message that lies in a file\r\n").as_bytes(),
        );
    }
    relay
        .accept("alice@a.example", &["bob@b.example"], &raw)
        .await;
    assert_eq!(relay.ended(1).await[0].1, "delivered");
    assert!(
        server.received()[0].data == raw,
        "the message was changed on its way"
    );
}

#[tokio::test]
async fn many_recipients_go_in_several_transactions_on_one_connection() {
    let server = NextHopServer::accepting_everything().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.recipients_per_transaction = 2;
    });
    let to = [
        "a@b.example",
        "b@b.example",
        "c@b.example",
        "d@b.example",
        "e@b.example",
    ];
    relay.accept("alice@a.example", &to, &message("many")).await;
    assert!(
        relay
            .ended(5)
            .await
            .iter()
            .all(|ended| ended.1 == "delivered")
    );
    let sizes: Vec<_> = server
        .received()
        .iter()
        .map(|one| one.recipients.len())
        .collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn recipients_are_grouped_by_next_hop() {
    let (one, other) = (
        NextHopServer::accepting_everything().await,
        NextHopServer::accepting_everything().await,
    );
    let hops = [one.hop(TlsMode::None), other.hop(TlsMode::None)];
    let default = hops[1].clone();
    let router = move |_: &_, recipient: &gatepost_spool::ClaimedRecipient| match recipient
        .address
        .local()
    {
        "one" => Routing::Deliver(hops[0].clone().into()),
        "later" => Routing::Defer(Reply::new(450, "4.7.1", "come back")),
        "never" => Routing::Fail(Reply::new(550, "5.7.1", "not for us")),
        _ => Routing::Pass,
    };
    let mut relay = Relay::start_with(router, Some(default), Limits::default(), |_| {});
    let to = [
        "one@b.example",
        "default@b.example",
        "later@b.example",
        "never@b.example",
    ];
    relay.accept("", &to, &message("parts")).await;
    let ended = relay.ended(4).await;
    let words: Vec<_> = ended
        .iter()
        .map(|(to, word, _)| (to.as_str(), *word))
        .collect();
    assert_eq!(
        words,
        [
            ("default@b.example", "delivered"),
            ("later@b.example", "deferred"),
            ("never@b.example", "failed"),
            ("one@b.example", "delivered"),
        ]
    );
    assert_eq!(ended[1].2.to_string(), "450 4.7.1 come back");
    assert_eq!(ended[2].2.to_string(), "550 5.7.1 not for us");
    assert_eq!(one.received()[0].recipients, ["RCPT TO:<one@b.example>"]);
    assert_eq!(
        other.received()[0].recipients,
        ["RCPT TO:<default@b.example>"]
    );
}

#[tokio::test]
async fn a_message_without_a_route_is_deferred() {
    let mut relay = Relay::start(|_: &_, _: &_| Routing::Pass, |_| {});
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("lost"))
        .await;
    let ended = relay.ended(1).await;
    assert_eq!(
        (ended[0].1, ended[0].2.to_string()),
        ("deferred", "451 4.4.4 no route".to_owned())
    );
}

#[tokio::test]
async fn an_unreachable_server_defers_the_message() {
    let hop = NextHop {
        host: "127.0.0.1".to_owned(),
        port: test_support::free_port().port(),
        tls: TlsMode::None,
        protocol: Protocol::Smtp,
    };
    let mut relay = Relay::start(route_all_to(hop), |_| {});
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("nobody"))
        .await;
    let ObserverCall::Ended {
        outcome: AttemptOutcome::Deferred { reply, server, .. },
        ..
    } = relay.next_call().await
    else {
        panic!("not deferred");
    };
    assert_eq!(reply.enhanced().unwrap().to_string(), "4.4.1");
    assert_eq!(server, None);
}

#[tokio::test]
async fn a_connection_lost_in_mid_message_defers_and_the_next_attempt_delivers() {
    let server = NextHopServer::start(Offer::usual(), |connection, moment| match moment {
        Moment::DataLine(3) if connection == 0 => Some(Act::Close),
        _ => None,
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("cut"))
        .await;
    let ended = relay.ended(1).await;
    assert_eq!(
        (ended[0].1, ended[0].2.enhanced().unwrap().to_string()),
        ("deferred", "4.4.2".to_owned())
    );
    assert_eq!(relay.queue().await[0].recipients[0].attempts, 1);

    relay.pass(Duration::from_secs(61));
    assert_eq!(relay.ended(1).await[0].1, "delivered");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_server_that_refuses_in_mid_message_gets_no_more_of_it() {
    let server = NextHopServer::start(Offer::usual(), |_, moment| match moment {
        Moment::DataLine(1000) => Some(Act::SayAndHang("552 5.3.4 too big for us".to_owned())),
        _ => None,
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let mut raw = message("big");
    for _ in 0..200_000 {
        raw.extend_from_slice(b"a line of a message that is far too big for this server\r\n");
    }
    relay.accept("", &["bob@b.example"], &raw).await;
    let ended = relay.ended(1).await;
    assert_eq!(
        (ended[0].1, ended[0].2.to_string()),
        ("failed", "552 5.3.4 too big for us".to_owned())
    );
}

#[tokio::test]
async fn a_server_without_pipelining_gets_one_command_at_a_time() {
    let offer = Offer {
        extensions: vec!["8BITMIME"],
        ..Offer::default()
    };
    // A client that sends before the answer is noticed here: the line would come before the reply.
    let server = NextHopServer::start(offer, |_, _| None).await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept(
            "alice@a.example",
            &["bob@b.example", "eve@b.example"],
            &message("slow"),
        )
        .await;
    assert!(
        relay
            .ended(2)
            .await
            .iter()
            .all(|ended| ended.1 == "delivered")
    );
    assert_eq!(server.received()[0].recipients.len(), 2);
    assert!(
        !server.pipelined(),
        "commands came before the replies they depend on"
    );
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let server = NextHopServer::start(Offer::usual(), |_, moment| match moment {
        Moment::Command(line) if line.starts_with("MAIL") => Some(Act::Hang),
        _ => None,
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.timeouts.reply = Some(Duration::from_millis(50));
    });
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("mute"))
        .await;
    let ended = relay.ended(1).await;
    assert_eq!(
        (ended[0].1, ended[0].2.enhanced().unwrap().to_string()),
        ("deferred", "4.4.2".to_owned())
    );
}

#[tokio::test]
async fn eight_bit_messages_need_8bitmime() {
    let seven = Offer {
        extensions: vec!["PIPELINING"],
        ..Offer::default()
    };
    let (seven, eight) = (
        NextHopServer::start(seven, |_, _| None).await,
        NextHopServer::accepting_everything().await,
    );
    let hops = [seven.hop(TlsMode::None), eight.hop(TlsMode::None)];
    let mut relay = Relay::start(
        move |_: &_, recipient: &gatepost_spool::ClaimedRecipient| {
            Routing::Deliver(
                hops[usize::from(recipient.address.local() == "eight")]
                    .clone()
                    .into(),
            )
        },
        |_| {},
    );
    let raw = [message("octets"), "Grüße\r\n".as_bytes().to_vec()].concat();
    relay
        .accept("", &["seven@b.example", "eight@b.example"], &raw)
        .await;
    let ended = relay.ended(2).await;
    assert_eq!(ended[0].1, "delivered");
    assert_eq!(
        (ended[1].1, ended[1].2.enhanced().unwrap().to_string()),
        ("failed", "5.6.3".to_owned())
    );
    assert_eq!(seven.received(), []);
    assert!(
        eight.received()[0].mail.contains(" BODY=8BITMIME"),
        "{:?}",
        eight.received()
    );
    assert_eq!(eight.received()[0].data, raw);
}

#[tokio::test]
async fn a_panic_defers_only_one_message() {
    let server = NextHopServer::accepting_everything().await;
    let hop = server.hop(TlsMode::None);
    let mut relay = Relay::start(
        move |_: &_, recipient: &gatepost_spool::ClaimedRecipient| {
            assert_ne!(recipient.address.local(), "panic", "as told");
            Routing::Deliver(hop.clone().into())
        },
        |_| {},
    );
    relay
        .accept("alice@a.example", &["panic@b.example"], &message("panic"))
        .await;
    let ended = relay.ended(1).await;
    assert_eq!((ended[0].1, ended[0].2.code()), ("deferred", 451));
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("calm"))
        .await;
    assert_eq!(relay.ended(1).await[0].1, "delivered");
    assert_eq!(relay.queue().await[0].recipients[0].attempts, 1);
}

#[tokio::test]
async fn a_transient_greeting_defers_the_message() {
    let server = NextHopServer::start(Offer::usual(), |_, moment| match moment {
        Moment::Connected => say("421 4.3.2 closed for lunch"),
        _ => None,
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("lunch"))
        .await;
    let ended = relay.ended(1).await;
    assert_eq!(
        (ended[0].1, ended[0].2.to_string()),
        ("deferred", "421 4.3.2 closed for lunch".to_owned())
    );
}

#[tokio::test]
async fn an_attempt_ends_before_its_lease_does() {
    let server = NextHopServer::start(Offer::usual(), |_, moment| match moment {
        Moment::EndOfData => Some(Act::Hang),
        _ => None,
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
        settings.lease = Duration::from_secs(1);
    });
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("endless"))
        .await;
    let ended = relay.ended(1).await;
    assert_eq!(
        (ended[0].1, ended[0].2.to_string()),
        ("deferred", "451 4.4.2 the attempt took too long".to_owned())
    );
}
