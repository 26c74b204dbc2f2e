//! Reasons of policies reach the application: in a field on what comes in, in the reply to what it
//! submits. Nobody else writes the field.

use test_support::{Client, RelayBuilder, Sink};

use crate::{accepted, send};

/// Message that no machine may answer, with a reason.
const BOUNCE: &[u8] = b"From: MAILER-DAEMON@sender.example\r\n\
    Subject: Mail delivery failed: returning message to sender\r\n\
    X-Gatepost-Reasons: loop-guard: forged\r\n\
    x_gatepost_reasons\x0c: forged\r\n\
    \r\n\
    A message that you sent could not be delivered.\r\n";

const FIELD: &str = "X-Gatepost-Reasons";

#[test]
fn the_reasons_stand_in_a_field_that_nobody_can_forge() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    accepted(&relay, &["help@desk.example"], BOUNCE);
    let taken = sink.take();
    let reasons = taken.header(FIELD).unwrap();
    assert!(reasons.contains("; loop-guard: "), "{reasons}");
    assert!(reasons.starts_with("loop-guard: bounce, by "), "{reasons}");
    let text = taken.text();
    assert!(!text.contains("forged"), "{text}");
    assert_eq!(text.matches("asons").count(), 1, "{text}");
    assert!(text.split("\r\n").all(|line| line.len() <= 998));
    relay.leaves_nothing(sink);
}

#[test]
fn the_name_of_the_reasons_field_is_set_or_left_out() {
    for (setting, name) in [
        ("reasons = \"X-Desk-Why\"", Some("X-Desk-Why")),
        ("reasons = false", None),
        ("reasons = true", Some(FIELD)),
    ] {
        let sink = Sink::start();
        let relay = RelayBuilder::usual(sink.address())
            .with(&format!("[headers]\n{setting}"))
            .start();
        let own = name.unwrap_or(FIELD);
        let message = [
            format!("{own}: forged\r\n").as_bytes(),
            b"From: MAILER-DAEMON@sender.example\r\n\r\nx\r\n",
        ]
        .concat();
        send(&relay, &["help@desk.example"], &message);
        let taken = sink.take();
        assert!(!taken.text().contains("forged"), "{}", taken.text());
        assert_eq!(taken.header(own).is_some(), name.is_some(), "{setting}");
        relay.leaves_nothing(sink);
    }
}

#[test]
fn of_several_recipients_none_is_named_to_another() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let message = b"Subject: Undelivered mail to blind@desk.example\r\nFrom: MAILER-DAEMON@sender.example\r\n\r\nx\r\n";
    let both = ["help@desk.example", "blind@desk.example"];
    for to in [&both[..], &both[1..]] {
        accepted(&relay, to, message);
        let reasons = sink.take().header(FIELD).unwrap_or_default();
        assert_eq!(
            reasons.contains("blind@desk.example"),
            to.len() == 1,
            "{reasons}"
        );
    }
    relay.leaves_nothing(sink);
}

#[test]
fn a_submitter_is_told_in_the_reply_in_one_line() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let client = Client::greeted(relay.address("submission"));
    let mut client = client.authenticated("user", "secret");
    let message = |date: &str| {
        format!(
            "From: <user@desk.example>\r\nDate: Mon, 2 Mar 2026 11:12:30 +0000\r\n{date}\
             To: <ann@sender.example>\r\nSubject: s\r\n\r\nHello!\r\n"
        )
    };
    let mut deliver = |message: String| {
        let to = ["ann@sender.example"];
        let reply = client.deliver("user@desk.example", &to, message.as_bytes());
        sink.take();
        reply.unwrap()
    };
    let reply = deliver(message(""));
    let (id, told) = (reply.transaction(), reply.text());
    assert!(told.ends_with(&format!("Queued as {id}")), "{told}");
    let twice = "Date: Mon, 2 Mar 2026 11:12:31 +0000\r\n";
    let reply = deliver(message(twice).replace("Hello!", "Good morning!"));
    let told = reply.text();
    let said = " (reasons: header-guard: Date stood there more than once, the first is left";
    assert!(told.contains(said), "{told}");
    assert_eq!(reply.lines.len(), 1, "{told}");
    drop(client);
    relay.leaves_nothing(sink);
}
