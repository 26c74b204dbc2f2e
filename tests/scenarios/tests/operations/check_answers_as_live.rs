//! `gatepost check` refuses what the running relay refuses, with the same words: rules of the host,
//! and limits of the session.

use std::fs;

use serde_json::Value;
use test_support::{Relay, RelayBuilder, Reply, Sink};

use crate::CHAIN;

const SETTINGS: &str = "
[limits]
recipients = 2
message-size = 65536
";

/// One message: its recipients and its octets.
type Case = (&'static [&'static str], String);

#[test]
fn check_refuses_what_a_session_refuses() {
    let relay = RelayBuilder::usual(Sink::start().address())
        .replace(CHAIN, "chain = []")
        .with(SETTINGS)
        .start();
    let one: &[&str] = &["one@desk.example"];
    let plain = || "Subject: s\r\n\r\nHello!\r\n".to_owned();
    let cases: Vec<Case> = vec![
        (one, plain()),
        (
            one,
            format!("Subject: s\r\n\r\n{}", "0123456\r\n".repeat(9000)),
        ),
        (one, "Subject: s\r\n\r\nno end of line".to_owned()),
        (&["x@elsewhere.example"], plain()),
        (&["a%b@desk.example", "one@desk.example"], plain()),
        (&["postmaster@mx.desk.example"], plain()),
        (
            &["a@desk.example", "b@desk.example", "c@desk.example"],
            plain(),
        ),
        // A recipient that is refused counts, too.
        (
            &["x@elsewhere.example", "b@desk.example", "c@desk.example"],
            plain(),
        ),
        (
            &["a@desk.example", "A@DESK.example", "c@desk.example"],
            plain(),
        ),
    ];
    for (to, message) in cases {
        let (recipients, reply) = live(&relay, to, &message);
        let checked = check(&relay, to, &message);
        assert_eq!(checked_words(&checked["reply"]), reply, "{to:?}");
        for (address, refusal) in to.iter().zip(recipients) {
            let Some(refusal) = refusal else { continue };
            let mut of = checked["recipients"].as_array().unwrap().iter();
            let of = of.find(|of| of["address"] == *address).unwrap();
            let reason = of["reason"].as_str().unwrap();
            assert!(refusal.ends_with(without_id(reason)), "{refusal}: {of}");
        }
    }
}

/// Returns the refusals of the recipients, and the last reply, without the transaction's id.
fn live(relay: &Relay, to: &[&str], message: &str) -> (Vec<Option<String>>, String) {
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    let mut refusals = Vec::new();
    for address in to {
        client.send(format!("RCPT TO:<{address}>\r\n")).unwrap();
        let reply = client.reply().unwrap();
        refusals.push((reply.code >= 400).then(|| in_words(&reply)));
    }
    if let [first, ..] = &refusals[..]
        && refusals.iter().all(Option::is_some)
    {
        let first = first.clone().unwrap();
        return (refusals, first);
    }
    client.command("DATA", 354);
    client.send(message).unwrap();
    client
        .send(if message.ends_with("\r\n") {
            ".\r\n"
        } else {
            "\r\n.\r\n"
        })
        .unwrap();
    (refusals, in_words(&client.reply().unwrap()))
}

fn check(relay: &Relay, to: &[&str], message: &str) -> Value {
    let file = relay.directory().join("message.eml");
    fs::write(&file, message).unwrap();
    let file = file.to_string_lossy();
    let mut arguments = vec!["check", &file, "--mail-from", "ann@sender.example"];
    for address in to {
        arguments.extend(["--rcpt-to", address]);
    }
    relay.json(&arguments).remove(0)
}

/// Returns the code, the enhanced code and the text, without the transaction's id.
fn in_words(reply: &Reply) -> String {
    let text = reply.text();
    let text = text.strip_prefix(reply.enhanced().unwrap_or_default());
    let (code, enhanced) = (reply.code, reply.enhanced().unwrap_or_default());
    format!("{code} {enhanced} {}", without_id(text.unwrap_or_default()))
}

fn checked_words(reply: &Value) -> String {
    let (code, enhanced) = (&reply["code"], reply["enhanced"].as_str().unwrap());
    let text = without_id(reply["text"].as_str().unwrap());
    format!("{code} {enhanced} {text}")
}

/// Removes the id, which stands last: `(…)` in refusals, `as …` in a yes.
fn without_id(text: &str) -> &str {
    let text = text.trim();
    let text = text.rsplit_once(" (").map_or(text, |(before, _)| before);
    text.rsplit_once(" as ").map_or(text, |(before, _)| before)
}
