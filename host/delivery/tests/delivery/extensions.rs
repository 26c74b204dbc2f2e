//! Extensions that a next hop offers: DSN, SMTPUTF8, CHUNKING, LIMITS, XFORWARD, LMTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_model::TlsMode;
use gatepost_smtp::dsn::{EnvelopeId, MessageRequest, Notify, Ret};
use tokio::sync::Notify as Signal;

use crate::support::{Act, Moment, NextHopServer, Offer, Relay, message, route_all_to, say};

/// Starts a server that offers this and accepts everything.
async fn offering(extensions: &[&'static str]) -> NextHopServer {
    NextHopServer::start(Offer::of(extensions), |_, _| None).await
}

#[tokio::test]
async fn dsn_parameters_are_passed_to_a_next_hop_that_offers_dsn() {
    for (offers, expected) in [(true, " RET=HDRS ENVID=QQ1"), (false, "")] {
        let extensions: &[_] = if offers { &["DSN"] } else { &[] };
        let server = offering(extensions).await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
        relay
            .accept_with(
                "a@a.example",
                &["b@b.example"],
                &message("dsn"),
                |message| {
                    message.dsn = MessageRequest {
                        ret: Some(Ret::Headers),
                        envelope_id: EnvelopeId::from_xtext("QQ1"),
                    };
                    message.recipients[0].dsn.notify = Some(Notify::NEVER);
                },
            )
            .await;
        relay.ended(1).await;
        let got = &server.received()[0];
        assert_eq!(got.mail, format!("MAIL FROM:<a@a.example>{expected}"));
        let notify = if offers { " NOTIFY=NEVER" } else { "" };
        assert_eq!(got.recipients, [format!("RCPT TO:<b@b.example>{notify}")]);
    }
}

#[tokio::test]
async fn a_header_section_in_utf8_needs_smtputf8() {
    let raw = "Subject: Grüße\r\n\r\nHello.\r\n".as_bytes();
    for (extensions, announced, end) in [
        (&["8BITMIME", "SMTPUTF8"][..], true, "delivered"),
        (&["8BITMIME"], true, "failed"),
        // It came as plain 8-bit octets, and is sent as such.
        (&["8BITMIME"], false, "delivered"),
    ] {
        let server = offering(extensions).await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
        relay
            .accept_with("", &["b@b.example"], raw, |message| {
                message.smtputf8 = announced;
            })
            .await;
        let (_, ended, reply) = relay.ended(1).await.remove(0);
        assert_eq!(ended, end, "{reply}");
        match server.received().first() {
            Some(got) => {
                let parameters = got.mail.ends_with(" BODY=8BITMIME SMTPUTF8");
                assert_eq!(parameters, announced, "{}", got.mail);
                assert_eq!(got.data, raw);
            }
            None => assert_eq!(reply.enhanced().unwrap().to_string(), "5.6.7"),
        }
    }
}

#[tokio::test]
async fn chunking_preserves_a_missing_final_newline() {
    let raw = b"Subject: open\r\n\r\n.no end";
    for (extensions, arrives) in [
        (&["CHUNKING", "PIPELINING"][..], &raw[..]),
        (&["PIPELINING"], b"Subject: open\r\n\r\n.no end\r\n"),
    ] {
        let server = offering(extensions).await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
        relay.accept("a@a.example", &["b@b.example"], raw).await;
        assert_eq!(relay.ended(1).await[0].1, "delivered");
        assert_eq!(server.received()[0].data, arrives);
    }
    // A message that DATA can carry unchanged is sent by DATA.
    let server = offering(&["CHUNKING"]).await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay.accept("", &["b@b.example"], &message("whole")).await;
    relay.ended(1).await;
    assert_eq!(server.received()[0].data, message("whole"));
    assert!(server.commands().iter().any(|(_, line)| line == "DATA"));
}

#[tokio::test]
async fn limits_of_the_next_hop_split_recipients_and_sessions() {
    let server = offering(&["LIMITS MAILMAX=2 RCPTMAX=3 RCPTDOMAINMAX=1"]).await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let to = [
        "1@b.example",
        "2@c.example",
        "3@b.example",
        "4@b.example",
        "5@b.example",
        "6@c.example",
    ];
    relay.accept("a@a.example", &to, &message("many")).await;
    let ended = relay.ended(6).await;
    assert!(ended.iter().all(|one| one.1 == "delivered"), "{ended:?}");
    let got: Vec<_> = server
        .received()
        .into_iter()
        .map(|got| {
            (
                got.connection,
                got.recipients.join(" ").replace("RCPT TO:", ""),
            )
        })
        .collect();
    assert_eq!(
        got,
        [
            (0, "<1@b.example> <3@b.example> <4@b.example>".to_owned()),
            (0, "<2@c.example> <6@c.example>".to_owned()),
            (1, "<5@b.example>".to_owned()),
        ]
    );
}

#[tokio::test]
async fn xforward_is_sent_only_to_configured_networks() {
    for (network, told) in [("127.0.0.0/8", true), ("192.0.2.0/24", false)] {
        let server = offering(&["XFORWARD ADDR HELO SOURCE"]).await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
            settings.xforward_to = vec![network.parse().unwrap()];
        });
        relay.accept("", &["b@b.example"], &message("who")).await;
        assert_eq!(relay.ended(1).await[0].1, "delivered");
        let commands = server.commands();
        let forward = commands
            .iter()
            .find(|(_, line)| line.starts_with("XFORWARD"));
        assert_eq!(
            forward.map(|(_, line)| line.as_str()),
            told.then_some("XFORWARD ADDR=192.0.2.1 HELO=client.example SOURCE=REMOTE")
        );
    }
}

#[tokio::test]
async fn an_unsigned_8_bit_message_is_converted_if_the_setting_allows_it() {
    let raw = "Subject: s\r\n\r\nViele Grüße aus dem Norden\r\n";
    for (convert, raw, arrives) in [
        (false, raw.to_owned(), None),
        (true, format!("DKIM-Signature: v=1\r\n{raw}"), None),
        (
            true,
            raw.to_owned(),
            Some(
                "Subject: s\r\nContent-Transfer-Encoding: quoted-printable\r\n\
                 MIME-Version: 1.0\r\n\r\nViele Gr=C3=BC=C3=9Fe aus dem Norden\r\n",
            ),
        ),
    ] {
        let server = offering(&["SIZE", "LIMITS RCPTMAX=1"]).await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |settings| {
            settings.convert_8bit = convert;
        });
        let to = ["b@b.example", "c@b.example"];
        relay.accept("", &to, raw.as_bytes()).await;
        for (_, end, reply) in relay.ended(2).await {
            match arrives {
                Some(_) => assert_eq!(end, "delivered", "{reply}"),
                None => assert_eq!(reply.enhanced().unwrap().to_string(), "5.6.3"),
            }
        }
        for got in server.received() {
            assert_eq!(str::from_utf8(&got.data).ok(), arrives);
            let mail = format!("MAIL FROM:<> SIZE={}", got.data.len());
            assert_eq!(got.mail, mail);
        }
        assert_eq!(
            server.received().len(),
            if arrives.is_some() { 2 } else { 0 }
        );
    }
}

/// Starts an LMTP server that accepts messages for every mailbox but a full one.
async fn mailboxes() -> NextHopServer {
    NextHopServer::start(Offer::of(&["PIPELINING"]), |_, moment| match moment {
        Moment::Command("RCPT TO:<nobody@b.example>") => say("550 5.1.1 nobody"),
        Moment::EndOfData => say("250 2.0.0 stored\r\n452 4.2.2 full"),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn each_lmtp_recipient_is_settled_by_its_own_reply() {
    let server = mailboxes().await;
    let mut relay = Relay::start(route_all_to(server.lmtp()), |_| {});
    let to = ["bob@b.example", "full@b.example", "nobody@b.example"];
    relay.accept("", &to, &message("boxes")).await;
    let ended: Vec<_> = relay
        .ended(3)
        .await
        .into_iter()
        .map(|(_, end, reply)| (end, reply.to_string()))
        .collect();
    assert_eq!(
        ended,
        [
            ("delivered", "250 2.0.0 stored".to_owned()),
            ("deferred", "452 4.2.2 full".to_owned()),
            ("failed", "550 5.1.1 nobody".to_owned()),
        ]
    );
    assert_eq!(server.commands()[0].1, "LHLO relay.example");
    // The recipient whose mailbox was full is tried again, alone.
    relay.pass(std::time::Duration::from_secs(61));
    assert_eq!(relay.ended(1).await[0].0, "full@b.example");
}

#[tokio::test]
async fn a_refused_second_connection_costs_no_attempt() {
    let go_on = Arc::new(Signal::new());
    let held = Arc::clone(&go_on);
    let turned_away = AtomicBool::new(false);
    let server = NextHopServer::start(Offer::usual(), move |connection, moment| {
        match (connection, moment) {
            (0, Moment::EndOfData) if !turned_away.load(Ordering::SeqCst) => {
                Some(Act::SayAfter(Arc::clone(&held), "250 2.0.0 ok".to_owned()))
            }
            (1, Moment::Connected) => {
                // The first connection is released once the second was refused.
                turned_away.store(true, Ordering::SeqCst);
                held.notify_one();
                Some(Act::SayAndClose(
                    "421 4.7.0 too many connections".to_owned(),
                ))
            }
            _ => None,
        }
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    for subject in ["one", "two"] {
        relay.accept("", &["b@b.example"], &message(subject)).await;
    }
    assert_eq!(relay.ended(1).await[0].1, "delivered");
    relay.pass(std::time::Duration::from_secs(2));
    assert_eq!(
        relay.ended(1).await[0].1,
        "delivered",
        "no attempt was counted"
    );
}
