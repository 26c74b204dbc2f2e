//! What comes in has to have a header section, and one of each header of which there may be one.

use test_support::{Relay, RelayBuilder, Sink};

use crate::send;

const REFUSED: [(&[u8], &str); 6] = [
    (
        b"From: a@x.example\r\nno field\r\nX-Hidden: 1\r\n\r\nbody\r\n",
        "no header field",
    ),
    (
        b" folded\r\nFrom: a@x.example\r\n\r\nbody\r\n",
        "continued line",
    ),
    (
        b"From: a@x.example\r\nX Y: 1\r\n\r\nbody\r\n",
        "\"X Y\" is not a header's name",
    ),
    (
        b"From: a@x.example\r\nX-Any\x0c: 1\r\n\r\nbody\r\n",
        "is not a header's name",
    ),
    (
        b"From: a@x.example\r\nFrom: b@x.example\r\n\r\nbody\r\n",
        "one From",
    ),
    (
        b"From: a@x.example\r\nsubject: 1\r\nSubject : 2\r\n\r\nbody\r\n",
        "one Subject",
    ),
];

fn usual(sink: &Sink, settings: &str) -> Relay {
    RelayBuilder::usual(sink.address())
        .with(&format!(
            "[[policy]]\nname = \"header-guard\"\nbuiltin = \"header-guard\"\nsettings = {settings}"
        ))
        .start()
}

#[test]
fn malformed_and_repeated_fields_are_refused_with_a_reason() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for (message, why) in REFUSED {
        let reply = send(&relay, message);
        assert_eq!(
            (reply.code, reply.enhanced()),
            (550, Some("5.6.0")),
            "{why}"
        );
        assert!(reply.text().contains(why), "{why}: {}", reply.text());
    }
    relay.leaves_nothing(sink);
}

#[test]
fn a_malformed_header_section_is_accepted_if_set() {
    let sink = Sink::start();
    let relay = usual(&sink, r#"{ malformed = "keep", duplicates = "keep" }"#);
    for (message, why) in REFUSED {
        assert_eq!(send(&relay, message).code, 250, "{why}");
        // What continues nothing stays above the trace field, and where a line that is no field
        // ends the header section, that is marked.
        let message = message.strip_prefix(b" folded\r\n").unwrap_or(message);
        let (ended, marked) = ("\r\nno field", "\r\n\r\nno field");
        let message = String::from_utf8_lossy(message).replace(ended, marked);
        assert!(sink.take().bytes().ends_with(message.as_bytes()), "{why}");
    }
    relay.leaves_nothing(sink);
}

#[test]
fn the_first_of_each_repeated_field_is_left_if_set() {
    let sink = Sink::start();
    let relay = usual(&sink, r#"{ duplicates = "first" }"#);
    let twice = b"SUBJECT: one,\r\n\tfolded\r\nFrom: a@x.example\r\nSubject: two\r\nX-Odd:\xff\r\n\r\nSubject: body\r\n";
    let once =
        b"SUBJECT: one,\r\n\tfolded\r\nFrom: a@x.example\r\nX-Odd:\xff\r\n\r\nSubject: body\r\n";
    assert_eq!(send(&relay, twice).code, 250);
    let arrived = sink.take().bytes();
    assert!(arrived.ends_with(once), "{}", arrived.escape_ascii());
    relay.leaves_nothing(sink);
}
