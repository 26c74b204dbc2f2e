//! Bounces: one well-formed report for all recipients that failed together, and none to a null
//! sender.

use std::time::Duration;

use crate::support::{
    Moment, NextHopServer, Notice, ObserverCall, Offer, Relay, message, route_all_to, say,
};
use gatepost_delivery::Action;
use gatepost_message::TransactionId;
use gatepost_model::TlsMode;

/// Starts a server that accepts `good`, refuses `bad` and `worse` for good and `later` for now.
async fn refusing_by_recipient() -> NextHopServer {
    NextHopServer::start(Offer::usual(), |_, moment| match moment {
        Moment::Command("RCPT TO:<bad@b.example>") => {
            say("550-5.1.1 no such user\r\n550 5.1.1 here")
        }
        Moment::Command("RCPT TO:<worse@b.example>") => say("554 gone for ever, naïvely"),
        Moment::Command("RCPT TO:<later@b.example>") => say("450 4.2.1 busy"),
        _ => None,
    })
    .await
}

/// A message to four recipients, whom the next hop answers differently.
async fn accepted_for_four() -> (Relay, NextHopServer, TransactionId) {
    let server = refusing_by_recipient().await;
    let relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let to = [
        "good@b.example",
        "bad@b.example",
        "worse@b.example",
        "later@b.example",
    ];
    let id = relay.accept("alice@a.example", &to, &message("mix")).await;
    (relay, server, id)
}

#[tokio::test]
async fn mixed_replies_give_each_recipient_its_outcome_and_the_sender_one_report() {
    let (mut relay, server, id) = accepted_for_four().await;

    let ended = relay.ended(4).await;
    let ends: Vec<_> = ended
        .iter()
        .map(|(to, word, reply)| (to.as_str(), *word, reply.to_string()))
        .collect();
    assert_eq!(
        ends,
        [
            (
                "bad@b.example",
                "failed",
                "550 5.1.1 no such user here".to_owned()
            ),
            ("good@b.example", "delivered", "250 2.0.0 taken".to_owned()),
            ("later@b.example", "deferred", "450 4.2.1 busy".to_owned()),
            (
                "worse@b.example",
                "failed",
                "554 gone for ever, naïvely".to_owned()
            ),
        ]
    );
    let ObserverCall::Noticed {
        action,
        recipients,
        to,
    } = relay.next_call().await
    else {
        panic!("no bounce");
    };
    assert_eq!(action, Action::Failed);
    assert_eq!(recipients, ["bad@b.example", "worse@b.example"]);
    assert_eq!(to, "alice@a.example");
    assert_eq!(relay.ended(1).await[0].0, "alice@a.example");

    // The message waits for one recipient; the report was sent.
    let queue = relay.queue().await;
    assert_eq!(queue.iter().map(|one| one.id).collect::<Vec<_>>(), [id]);
    let received = server.received();
    assert_eq!(received.len(), 2);
    let report = &received[1];
    assert!(report.mail.starts_with("MAIL FROM:<> "), "{}", report.mail);
    assert_eq!(report.recipients, ["RCPT TO:<alice@a.example>"]);
    assert!(report.data.is_ascii());
    let lines: Vec<_> = report.data.split(|octet| *octet == b'\n').collect();
    assert!(
        lines[..lines.len() - 1]
            .iter()
            .all(|line| line.ends_with(b"\r") && line.len() <= 999)
    );
}

#[tokio::test]
async fn a_report_names_each_failed_recipient_to_people_and_machines() {
    let (mut relay, server, id) = accepted_for_four().await;
    relay.ended(4).await;
    relay.noticed().await;
    relay.ended(1).await;
    let report = &server.received()[1];
    let notice = Notice::read(&report.data);
    let from = "Mail Delivery System <MAILER-DAEMON@relay.example>";
    for (field, body) in [
        ("From", from),
        ("To", "<alice@a.example>"),
        ("Subject", "Not delivered: mix"),
        ("Auto-Submitted", "auto-replied"),
        ("In-Reply-To", "<mix@a.example>"),
        ("References", "<mix@a.example>"),
    ] {
        assert_eq!(notice.header(field), body, "{field}");
    }

    for said in [
        "relay.example",
        "bad@b.example",
        "There is no mailbox of this name.",
        "> 550 5.1.1 no such user",
        "worse@b.example",
        &id.to_string(),
    ] {
        assert!(
            notice.text.contains(said),
            "{said} is missing from:\n{}",
            notice.text
        );
    }
    assert!(!notice.text.contains("good@") && !notice.text.contains("later@"));

    assert_eq!(notice.status_type, "message/delivery-status");
    assert_eq!(notice.message("Reporting-MTA"), "dns; relay.example");
    assert_eq!(notice.recipients.len(), 2);
    for (at, address, status, diagnostic) in [
        (0, "bad@b.example", "5.1.1", "550 5.1.1 no such user here"),
        (1, "worse@b.example", "5.0.0", "554 gone for ever, na?vely"),
    ] {
        for (field, body) in [
            ("Final-Recipient", format!("rfc822; {address}")),
            ("Action", "failed".to_owned()),
            ("Status", status.to_owned()),
            ("Remote-MTA", "dns; localhost".to_owned()),
            ("Diagnostic-Code", format!("smtp; {diagnostic}")),
        ] {
            assert_eq!(notice.recipient(at, field), body, "{address}: {field}");
        }
    }

    assert_eq!(notice.returned_type, "text/rfc822-headers");
    let headers = notice.returned_text();
    assert!(
        headers.starts_with("From: <alice@a.example>\r\n"),
        "{headers}"
    );
    assert!(headers.contains("Subject: mix\r\n"));
    assert!(!headers.contains("Hello"));
}

#[tokio::test]
async fn a_null_sender_gets_no_bounce() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay.accept("", &["bad@b.example"], &message("null")).await;
    assert_eq!(relay.ended(1).await[0].1, "failed");
    // The next message is the next one accepted: no bounce was made.
    relay
        .accept("", &["good@b.example"], &message("good"))
        .await;
    assert_eq!(relay.ended(1).await[0].0, "good@b.example");
    assert_eq!(server.received().len(), 1);
    assert_eq!(relay.queue().await, []);
}

#[tokio::test]
async fn an_undeliverable_bounce_causes_no_bounce() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("worse@b.example", &["bad@b.example"], &message("loop"))
        .await;
    assert_eq!(relay.ended(1).await[0].0, "bad@b.example");
    assert_eq!(relay.noticed().await.0, Action::Failed);
    assert_eq!(relay.ended(1).await[0].0, "worse@b.example");
    assert_eq!(relay.queue().await, []);
}

#[tokio::test]
async fn international_headers_are_returned_readable() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let raw = [
        b"Subject: Gr\xc3\xbc\xc3\x9fe\r\n".to_vec(),
        message("script"),
    ]
    .concat();
    relay
        .accept("alice@a.example", &["bad@b.example"], &raw)
        .await;
    relay.ended(1).await;
    relay.next_call().await;
    relay.ended(1).await;
    let report = &server.received()[0].data;
    assert!(report.is_ascii());
    let notice = Notice::read(report);
    assert!(
        notice
            .returned_text()
            .starts_with("Subject: Grüße\r\nFrom: ")
    );
}

#[tokio::test]
async fn an_expired_message_bounces_with_the_last_reply() {
    let server = refusing_by_recipient().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("alice@a.example", &["later@b.example"], &message("late"))
        .await;
    assert_eq!(relay.ended(1).await[0].1, "deferred");
    relay.pass(Duration::from_secs(5 * 24 * 60 * 60 + 1));
    let ended = relay.ended(1).await;
    assert_eq!(
        (ended[0].1, ended[0].2.enhanced().unwrap().to_string()),
        ("failed", "5.4.7".to_owned())
    );
    relay.next_call().await;
    relay.ended(1).await;
    let notice = Notice::read(&server.received()[0].data);
    assert_eq!(notice.recipient(0, "Status"), "5.4.7");
    assert_eq!(
        notice.recipient(0, "Diagnostic-Code"),
        "smtp; 450 4.2.1 busy"
    );
    assert_eq!(relay.queue().await, []);
}
