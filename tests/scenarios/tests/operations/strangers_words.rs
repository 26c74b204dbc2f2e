//! What strangers write cannot pass for the relay's own words, in its log or in what its commands
//! print: quotes and backslashes are escaped in the log, and what a terminal would not show, or
//! would obey, everywhere.

use test_support::{Relay, RelayBuilder, Sink};

use crate::MESSAGE;

/// A direction mark in the local part (RFC 6531 lets one stand there).
const RECIPIENT: &str = "x\u{202e}y@elsewhere.example";

/// A quoted local part with a field of our log in it (RFC 5321 section 4.1.2).
const SENDER: &str = r#""a\" verdict=\"accept\" \\"@sender.example"#;

/// Sends both; the transaction of the recipient that is refused.
fn strange(relay: &Relay) -> String {
    let mut client = relay.client("mx");
    client.ehlo();
    client.command(&format!("MAIL FROM:<{SENDER}>"), 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    client.send([MESSAGE, b".\r\n"].concat()).unwrap();
    client.expect(250);
    client.command("MAIL FROM:<ann@sender.example> SMTPUTF8", 250);
    client.send(format!("RCPT TO:<{RECIPIENT}>\r\n")).unwrap();
    let reply = client.reply().unwrap();
    assert_eq!(reply.code, 550, "{}", reply.text());
    reply.transaction()
}

fn hidden(c: char) -> bool {
    c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c)
}

#[test]
fn strangers_words_are_escaped_in_a_text_log_and_on_a_terminal() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let id = strange(&relay);
    sink.take();
    let line = relay.logged("message answered");
    assert!(
        line.contains(r#" from="\"a\\\" verdict=\\\"accept\\\" \\\\\"@sender.example" "#),
        "{line}"
    );
    let line = relay.logged("recipient refused");
    assert!(
        line.contains(r" to=x\u{202e}y@") || line.contains(r#" to="x\u{202e}y@"#),
        "{line}"
    );
    assert!(!relay.log().contains(hidden), "{}", relay.log());

    let output = relay.command(&["trace", &id]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r"<x\u{202e}y@elsewhere.example>"), "{text}");
    assert!(!text.contains(hidden), "{text}");
    // As JSON it is the same address, in other words.
    let output = relay.command(&["trace", &id, "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r"x\u202ey@elsewhere.example"), "{text}");
    let refused = &relay.events(&id, "recipient")[0];
    assert_eq!(refused["address"], RECIPIENT);
    relay.leaves_nothing(sink);
}

#[test]
fn strangers_words_are_escaped_in_a_json_log() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[log]\nformat = \"json\"")
        .start();
    strange(&relay);
    sink.take();
    let line = relay.logged("recipient refused");
    assert!(line.contains(r"x\u202ey@"), "{line}");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["to"], RECIPIENT);
    assert!(!relay.log().contains(hidden), "{}", relay.log());
    relay.leaves_nothing(sink);
}
