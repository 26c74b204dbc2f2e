//! A next hop that refuses the session has said nothing about any message: the messages wait.

use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_model::TlsMode;

use crate::support::{Act, Moment, NextHopServer, Offer, Relay, message, route_all_to, say};

/// Returns true if a session begins at this moment with one of these commands; the banner is "".
fn is_at(moment: Moment<'_>, verbs: &[&str]) -> bool {
    match moment {
        Moment::Connected => verbs.contains(&""),
        Moment::Command(line) => verbs
            .iter()
            .any(|verb| !verb.is_empty() && line.starts_with(verb)),
        _ => false,
    }
}

#[tokio::test]
async fn a_permanent_refusal_before_mail_defers_the_message() {
    for (verbs, reply) in [
        (&[""][..], "554 5.7.1 You are not allowed to connect"),
        (&["EHLO", "HELO"], "550 5.7.1 Access denied"),
    ] {
        let refusing = std::sync::Arc::new(AtomicBool::new(true));
        let mended = std::sync::Arc::clone(&refusing);
        let server = NextHopServer::start(Offer::usual(), move |_, moment| {
            (is_at(moment, verbs) && refusing.load(Ordering::SeqCst))
                .then(|| Act::Say(reply.to_owned()))
        })
        .await;
        let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
        relay
            .accept("alice@a.example", &["bob@b.example"], &message("waits"))
            .await;
        let ended = relay.ended(1).await;
        assert_eq!(ended[0].1, "deferred", "{ended:?}");
        let words = ended[0].2.to_string();
        assert!(words.starts_with("451 4.3.2 "), "{words}");
        assert!(words.contains(reply), "the server's own words: {words}");

        mended.store(false, Ordering::SeqCst);
        relay.pass(std::time::Duration::from_secs(3600));
        assert_eq!(relay.ended(1).await[0].1, "delivered");
    }
}

#[tokio::test]
async fn a_permanent_refusal_of_a_recipient_fails_it() {
    let server = NextHopServer::start(Offer::usual(), |_, moment| {
        is_at(moment, &["RCPT"]).then(|| say("550 5.1.1 nobody").unwrap())
    })
    .await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("alice@a.example", &["bob@b.example"], &message("fails"))
        .await;
    assert_eq!(relay.ended(1).await[0].1, "failed");
}
