//! Date and Message-ID are added to a submission that lacks them (RFC 6409 section 8), and to no
//! other mail; `gatepost check` shows the same.

use test_support::{Client, RelayBuilder, Sink, Taken};

const WITH_BOTH: &str = "Date: Mon, 2 Mar 2026 11:09:00 +0000\r\nmessage-id: <1@desk.example>\r\n\
    From: <user@desk.example>\r\nSubject: s\r\n\r\nx\r\n";
const WITH_NONE: &str = "From: <user@desk.example>\r\nSubject: s\r\n\r\nx\r\n";

/// Sends a message; gives its id and what arrives.
fn sent(client: &mut Client, message: &str, sink: &Sink) -> (String, Taken) {
    let reply = client.deliver(
        "user@desk.example",
        &["ann@desk.example"],
        message.as_bytes(),
    );
    (reply.unwrap().transaction(), sink.take())
}

#[test]
fn missing_fields_are_added_to_a_submission() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("submission").authenticated("user", "secret");

    let (id, taken) = sent(&mut client, WITH_NONE, &sink);
    let expected = format!("<{id}@mx.desk.example>");
    assert_eq!(taken.header("Message-ID"), Some(expected));
    let date = taken.header("Date").unwrap();
    assert!(jiff::fmt::rfc2822::parse(&date).is_ok(), "{date}");
    // The trace field stays on top, and what was sent stays as it was.
    let text = taken.text();
    assert!(text.starts_with("Received: "), "{text}");
    assert!(text.ends_with(WITH_NONE), "{text}");

    let (_, taken) = sent(&mut client, WITH_BOTH, &sink);
    let text = taken.text().to_lowercase();
    assert_eq!(text.matches("\r\nmessage-id:").count(), 1, "{text}");
    assert_eq!(text.matches("\r\ndate:").count(), 1, "{text}");

    let mut outside = relay.client("mx");
    outside.ehlo();
    let (_, taken) = sent(&mut outside, WITH_NONE, &sink);
    assert_eq!(
        (taken.header("Message-ID"), taken.header("Date")),
        (None, None)
    );
    drop((client, outside));
    relay.leaves_nothing(sink);
}

#[test]
fn check_shows_what_would_be_added() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let file = relay.directory().join("none.eml");
    std::fs::write(&file, WITH_NONE).unwrap();
    let output = relay.directory().join("checked");
    std::fs::create_dir_all(&output).unwrap();
    for (listener, added) in [("submission", true), ("mx", false)] {
        let arguments = ["check", "--listener", listener, "--auth-user", "user"];
        let arguments = &arguments[..if added { 5 } else { 3 }];
        let files = ["--rcpt-to", "ann@desk.example", "--output"];
        let paths = [output.to_str().unwrap(), file.to_str().unwrap()];
        relay.json(&[arguments, &files, &paths].concat());
        let checked = std::fs::read_to_string(output.join("none.eml")).unwrap();
        assert_eq!(checked.contains("@mx.desk.example>"), added, "{checked}");
        assert_eq!(checked.contains("\r\nDate: "), added, "{checked}");
    }
    relay.leaves_nothing(sink);
}
