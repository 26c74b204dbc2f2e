//! What a customer's smart host makes of headers shows in the messages that come back from it:
//! in bounces, in a probe that is sent back whole, and, as far as that goes, in answers.

use std::collections::BTreeMap;

use serde_json::Value;
use test_support::{Client, Relay, RelayBuilder, Sink, Taken};

const NOTIFICATION: &str = "From: Support <help@desk.example>\r\n\
    To: Ann <ann@elsewhere.example>\r\n\
    Subject: =?utf-8?q?your_caf=C3=A9?= ticket\r\n\
    Message-ID: <NUMBER@desk.example>\r\n\
    DKIM-Signature: v=1; a=rsa-sha256; d=desk.example; s=s; h=from; bh=x; b=AB CD\r\n\
    \r\n\
    Hello!\r\n";

/// Submits a notification; gives it as it left, once it is on record where it went: what comes back
/// counts from there alone.
fn submitted(relay: &Relay, sink: &Sink, id: &str) -> Taken {
    let mut client = relay.client("submission").authenticated("user", "secret");
    let message = NOTIFICATION.replace("NUMBER", id);
    let to = ["ann@elsewhere.example"];
    let reply = client.deliver("help@desk.example", &to, message.as_bytes());
    let reply = reply.unwrap();
    assert_eq!(reply.code, 250);
    let id = reply.transaction();
    relay.eventually("the delivery is on record", |relay| {
        (!relay.events(&id, "attempt").is_empty()).then_some(())
    });
    sink.take()
}

/// Returns a message as the smart host changes it.
fn edited(taken: &Taken, edit: impl Fn(&str) -> Option<String>) -> String {
    let text = taken.text();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let lines = head.split_inclusive("\r\n").filter_map(edit);
    lines.collect::<String>().trim_end().to_owned() + "\r\n"
}

/// A bounce of it, as RFC 3464 says.
fn bounce(part: &str, head: &str) -> String {
    format!(
        "From: MAILER-DAEMON@customer.example\r\nTo: help@desk.example\r\n\
         Subject: Undelivered Mail\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\nIt could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; customer.example\r\n\r\n\
         Final-Recipient: rfc822; ann@elsewhere.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
         --b\r\nContent-Type: {part}\r\n\r\n{head}\r\n--b--\r\n"
    )
}

fn comes_in(client: &mut Client, from: &str, message: &str, sink: &Sink) {
    let reply = client.deliver(from, &["help@desk.example"], message.as_bytes());
    let reply = reply.unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    sink.take();
}

/// Returns the findings about a domain, by header and finding, once so many headers have been
/// examined.
fn found(relay: &Relay, domain: &str, times: u64) -> BTreeMap<(String, String), Value> {
    relay.eventually("it has been compared", |relay| {
        let found = relay.json(&["connector", "headers", domain]);
        let text = |of: &Value, key: &str| of[key].as_str().unwrap().to_owned();
        let subject = found.iter().filter(|of| of["header"] == "Subject");
        let compared: u64 = subject.map(|of| of["count"].as_u64().unwrap()).sum();
        (compared == times).then(|| {
            found
                .iter()
                .map(|of| ((text(of, "header"), text(of, "change")), of.clone()))
                .collect()
        })
    })
}

#[test]
fn a_bounce_shows_what_was_lost_altered_and_replaced() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    assert!(
        relay
            .json(&["connector", "headers", "desk.example"])
            .is_empty()
    );
    let nothing = relay.command(&["connector", "headers", "desk.example"]);
    let nothing = String::from_utf8_lossy(&nothing.stdout).into_owned();
    assert!(
        nothing.contains("no message from desk.example has come back yet"),
        "{nothing}"
    );

    let taken = submitted(&relay, &sink, "1");
    let head = edited(&taken, |line| match line.split(':').next().unwrap() {
        "X-Auto-Response-Suppress" => None,
        "X-Mailer" => Some("X-Mailer: SmartHost 3.1\r\n".to_owned()),
        "Subject" => Some("Subject: [EXT] =?utf-8?b?eW91ciBjYWbDqQ==?= ticket\r\n".to_owned()),
        "From" => Some("From: \"Support via SmartHost\" <help@desk.example>\r\n".to_owned()),
        "DKIM-Signature" => Some("DKIM-Signature: v=1; d=desk.example; s=s; b=ABCE\r\n".to_owned()),
        "Message-ID" => Some(format!("{line}Reply-To: noreply@customer.example\r\n")),
        _ => Some(line.to_owned()),
    });
    let mut world = relay.client("mx");
    world.ehlo();
    comes_in(&mut world, "", &bounce("text/rfc822-headers", &head), &sink);

    let found = found(&relay, "desk.example", 1);
    let changes: Vec<(&str, &str)> = found
        .keys()
        .map(|(header, change)| (header.as_str(), change.as_str()))
        .collect();
    assert_eq!(
        changes,
        [
            ("Auto-Submitted", "intact"),
            ("DKIM-Signature", "altered"),
            ("From", "altered"),
            ("Message-ID", "intact"),
            ("Reply-To", "added"),
            ("Subject", "altered"),
            ("To", "intact"),
            ("X-Auto-Response-Suppress", "lost"),
            ("X-Gatepost-Email-Id", "intact"),
            ("X-Gatepost-From-Account-Id", "intact"),
            ("X-Mailer", "replaced"),
        ]
    );
    let mailer = &found[&("X-Mailer".to_owned(), "replaced".to_owned())];
    assert_eq!(mailer["sent"], "Gatepost Mailer");
    assert_eq!(mailer["came"], "SmartHost 3.1");
    assert_eq!(mailer["account"], "acme");
    assert_eq!(
        (&mailer["count"], &mailer["by-message-id"]),
        (&1.into(), &0.into())
    );
    let said = relay.command(&["connector", "headers", "desk.example"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        said.contains("X-Mailer") && said.contains("SmartHost 3.1"),
        "{said}"
    );
    drop(world);
    relay.leaves_nothing(sink);
}

#[test]
fn a_smart_host_that_changes_nothing_is_seen_to_change_nothing() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let taken = submitted(&relay, &sink, "2");
    let mut world = relay.client("mx");
    world.ehlo();
    // Folded anew: that is no change. Its own trace field and signature are none of ours.
    let head = edited(&taken, |line| {
        Some(line.replace("Support <", "Support\r\n <").replace(
            "DKIM-Signature",
            "DKIM-Signature: v=1; d=customer.example; s=t; b=EF\r\nDKIM-Signature",
        ))
    });
    let whole = format!("{head}\r\nHello!\r\n");
    comes_in(&mut world, "", &bounce("message/rfc822", &whole), &sink);
    // And sent back whole, as a probe is, by a person's address.
    comes_in(&mut world, "ann@elsewhere.example", &whole, &sink);
    let found = found(&relay, "desk.example", 2);
    assert_eq!(found.len(), 10, "{found:?}");
    for ((header, change), counted) in found {
        assert_eq!(
            (change.as_str(), &counted["count"]),
            ("intact", &2.into()),
            "{header}"
        );
    }
    drop(world);
    relay.leaves_nothing(sink);
}

#[test]
fn without_its_email_id_a_message_is_known_by_its_message_id_and_unproved() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let taken = submitted(&relay, &sink, "3");
    let stripped = edited(&taken, |line| {
        (!line.starts_with("X-")).then(|| line.to_owned())
    });
    let mut world = relay.client("mx");
    world.ehlo();
    // What nobody of ours has sent is not looked for in vain, and counts for nobody.
    let forged = stripped.replace("<3@desk.example>", "<forged@desk.example>");
    comes_in(
        &mut world,
        "",
        &bounce("text/rfc822-headers", &forged),
        &sink,
    );
    comes_in(
        &mut world,
        "",
        &bounce("text/rfc822-headers", &stripped),
        &sink,
    );
    let found = found(&relay, "desk.example", 1);
    let lost = &found[&("X-Gatepost-Email-Id".to_owned(), "lost".to_owned())];
    assert_eq!(
        (&lost["count"], &lost["by-message-id"]),
        (&1.into(), &1.into())
    );
    drop(world);
    relay.leaves_nothing(sink);
}

#[test]
fn an_answer_shows_that_the_message_id_has_arrived() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    submitted(&relay, &sink, "4");
    let mut world = relay.client("mx");
    world.ehlo();
    let answer = "From: ann@elsewhere.example\r\nSubject: Re: your ticket\r\n\
        References: <0@elsewhere.example> <4@desk.example>\r\n\r\nThanks!\r\n";
    // Asked for, what has left is written; nothing has come back of it.
    assert!(
        relay
            .json(&["connector", "headers", "desk.example"])
            .is_empty()
    );
    comes_in(&mut world, "ann@elsewhere.example", answer, &sink);
    let answered = relay.eventually("the answer has been seen", |relay| {
        let found = relay.json(&["connector", "headers", "desk.example"]);
        found.first().cloned()
    });
    assert_eq!(answered["header"], "Message-ID");
    assert_eq!(answered["change"], "answered");
    drop(world);
    relay.leaves_nothing(sink);
}

/// Strangers who were sent a message, or shown one, can copy its ids into any other. That one does
/// not come from the server to which the message was handed, and counts for nothing.
#[test]
fn a_stranger_with_a_copied_id_adds_no_findings() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\nxclient-from = [\"127.0.0.1/32\"]",
        )
        .start();
    let taken = submitted(&relay, &sink, "5");
    let head = edited(&taken, |line| {
        (!line.starts_with("X-Mailer")).then(|| line.replace("Support <", "Planted <"))
    });
    let id = taken.header("X-Gatepost-Email-Id").unwrap();
    let elsewhere = format!("X-Any: {id}\r\nFrom: ann@elsewhere.example\r\n\r\nHello!\r\n");
    let mut stranger = relay.client("mx");
    stranger.ehlo();
    stranger.command("XCLIENT ADDR=203.0.113.77", 220);
    stranger.ehlo();
    let ann = "ann@elsewhere.example";
    comes_in(
        &mut stranger,
        "",
        &bounce("text/rfc822-headers", &head),
        &sink,
    );
    comes_in(&mut stranger, ann, &format!("{head}\r\nHello!\r\n"), &sink);
    comes_in(&mut stranger, ann, &elsewhere, &sink);
    let stripped = head.replace("X-Gatepost-Email-Id", "X-Other");
    let stripped = stripped.replace(&id, "gone");
    comes_in(
        &mut stranger,
        "",
        &bounce("message/rfc822", &stripped),
        &sink,
    );
    for _ in 0..4 {
        relay.logged("does not come from where it was sent");
    }
    // The server that took it is believed, and is the first that counts.
    let mut smarthost = relay.client("mx");
    smarthost.ehlo();
    comes_in(
        &mut smarthost,
        "",
        &bounce("text/rfc822-headers", &head),
        &sink,
    );
    let found = found(&relay, "desk.example", 1);
    let mailer = &found[&("X-Mailer".to_owned(), "lost".to_owned())];
    assert_eq!(mailer["count"], 1);
    drop((stranger, smarthost));
    relay.leaves_nothing(sink);
}
