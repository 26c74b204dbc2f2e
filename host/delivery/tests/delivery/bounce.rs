//! What a sender is told: one well-formed report for all that failed together, and none to nobody.

use std::time::Duration;

use crate::support::{Moment, NextHopServer, Offer, Relay, Told, message, route_all_to, say};
use gatepost_policy::TlsMode;
use mail_parser::{MessageParser, MimeHeaders};

/// Takes `good`, refuses `bad` and `worse` for good and `later` for now.
async fn choosy() -> NextHopServer {
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

/// The fields of the blocks of a delivery status, unfolded.
fn blocks(status: &str) -> Vec<Vec<(String, String)>> {
    let unfolded = status.replace("\r\n ", " ");
    unfolded
        .trim_end()
        .split("\r\n\r\n")
        .map(|block| {
            block
                .lines()
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        })
        .collect()
}

fn value<'a>(block: &'a [(String, String)], name: &str) -> Option<&'a str> {
    block
        .iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_mix_of_answers_gives_each_its_end_and_the_sender_one_report() {
    let server = choosy().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    let to = [
        "good@b.example",
        "bad@b.example",
        "worse@b.example",
        "later@b.example",
    ];
    let id = relay.accept("alice@a.example", &to, &message("mix")).await;

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
    let Told::Bounced { failed, to } = relay.told().await else {
        panic!("no bounce");
    };
    assert_eq!(failed, ["bad@b.example", "worse@b.example"]);
    assert_eq!(to, "alice@a.example");
    assert_eq!(relay.ended(1).await[0].0, "alice@a.example");

    // The message waits for one recipient; the report has gone.
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

    let parsed = MessageParser::default().parse(&report.data).unwrap();
    assert_eq!(
        parsed.from().unwrap().first().unwrap().address(),
        Some("MAILER-DAEMON@relay.example")
    );
    assert_eq!(
        parsed.to().unwrap().first().unwrap().address(),
        Some("alice@a.example")
    );
    assert_eq!(
        parsed.header_raw("Auto-Submitted").unwrap().trim(),
        "auto-replied"
    );
    assert!(parsed.date().is_some() && parsed.message_id().is_some());
    let kind = parsed.content_type().unwrap();
    assert_eq!(
        (kind.ctype(), kind.subtype()),
        ("multipart", Some("report"))
    );
    assert_eq!(kind.attribute("report-type"), Some("delivery-status"));

    let parts = parsed.parts[0].sub_parts().unwrap();
    assert_eq!(parts.len(), 3);
    let part = |at: usize| &parsed.parts[parts[at] as usize];
    let kind = |at: usize| {
        let kind = part(at).content_type().unwrap();
        format!("{}/{}", kind.ctype(), kind.subtype().unwrap())
    };
    assert_eq!(kind(0), "text/plain");
    let text = std::str::from_utf8(part(0).contents()).unwrap();
    for said in [
        "relay.example",
        "<bad@b.example>",
        "no such user",
        "<worse@b.example>",
        &id.to_string(),
    ] {
        assert!(text.contains(said), "{said} is missing from:\n{text}");
    }
    assert!(!text.contains("good@") && !text.contains("later@"));

    assert_eq!(kind(1), "message/delivery-status");
    let status = blocks(std::str::from_utf8(part(1).contents()).unwrap());
    assert_eq!(status.len(), 3);
    assert_eq!(
        value(&status[0], "Reporting-MTA"),
        Some("dns; relay.example")
    );
    assert!(
        value(&status[0], "Arrival-Date")
            .unwrap()
            .ends_with("+0000")
    );
    let recipient = |at: usize| {
        [
            "Final-Recipient",
            "Action",
            "Status",
            "Remote-MTA",
            "Diagnostic-Code",
        ]
        .map(|name| value(&status[at], name).unwrap())
    };
    assert_eq!(
        recipient(1),
        [
            "rfc822; bad@b.example",
            "failed",
            "5.1.1",
            "dns; localhost",
            "smtp; 550 5.1.1 no such user here",
        ]
    );
    assert_eq!(
        recipient(2),
        [
            "rfc822; worse@b.example",
            "failed",
            "5.0.0",
            "dns; localhost",
            "smtp; 554 gone for ever, na?vely",
        ]
    );

    assert_eq!(kind(2), "text/rfc822-headers");
    let headers = std::str::from_utf8(part(2).contents()).unwrap();
    assert!(
        headers.starts_with("From: <alice@a.example>\r\n"),
        "{headers}"
    );
    assert!(headers.contains("Subject: mix\r\n"));
    assert!(!headers.contains("Hello"));
}

#[tokio::test]
async fn a_null_sender_is_told_nothing() {
    let server = choosy().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay.accept("", &["bad@b.example"], &message("null")).await;
    assert_eq!(relay.ended(1).await[0].1, "failed");
    // What comes next is the next message: no bounce was made.
    relay
        .accept("", &["good@b.example"], &message("good"))
        .await;
    assert_eq!(relay.ended(1).await[0].0, "good@b.example");
    assert_eq!(server.received().len(), 1);
    assert_eq!(relay.queue().await, []);
}

#[tokio::test]
async fn a_bounce_that_cannot_be_delivered_ends_there() {
    let server = choosy().await;
    let mut relay = Relay::start(route_all_to(server.hop(TlsMode::None)), |_| {});
    relay
        .accept("worse@b.example", &["bad@b.example"], &message("loop"))
        .await;
    assert_eq!(relay.ended(1).await[0].0, "bad@b.example");
    assert!(matches!(relay.told().await, Told::Bounced { .. }));
    assert_eq!(relay.ended(1).await[0].0, "worse@b.example");
    assert_eq!(relay.queue().await, []);
}

#[tokio::test]
async fn headers_in_other_scripts_come_back_readable() {
    let server = choosy().await;
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
    relay.told().await;
    relay.ended(1).await;
    let report = &server.received()[0].data;
    assert!(report.is_ascii());
    let parsed = MessageParser::default().parse(report).unwrap();
    let headers = parsed.parts.last().unwrap().contents();
    assert!(headers.starts_with("Subject: Grüße\r\nFrom: ".as_bytes()));
}

#[tokio::test]
async fn expiry_fails_with_the_last_answer_in_the_report() {
    let server = choosy().await;
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
    relay.told().await;
    relay.ended(1).await;
    let report = String::from_utf8(server.received()[0].data.clone()).unwrap();
    assert!(report.contains("Status: 5.4.7\r\n"));
    assert!(report.contains("Diagnostic-Code: smtp; 450 4.2.1 busy\r\n"));
    assert_eq!(relay.queue().await, []);
}
