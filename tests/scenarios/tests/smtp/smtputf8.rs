//! Addresses outside ASCII (RFC 6531), and domains whose names are (RFC 5890): U-labels and
//! A-labels are the same domain, and the envelope keeps what the client wrote.

use serde_json::json;
use test_support::{Client, Relay, RelayBuilder};

use crate::{MESSAGE, trace_field_and_rest};

const U_LABELS: &str = "bücher.example";
const A_LABELS: &str = "xn--bcher-kva.example";

/// With nobody at the next hop: what it takes stays in the queue, where it can be looked at.
fn with_domain(domain: &str) -> Relay {
    let nobody = ([127, 0, 0, 1], 1).into();
    RelayBuilder::usual(nobody)
        .replace(
            "\"desk.example\"",
            &format!("\"desk.example\", \"{domain}\""),
        )
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start()
}

/// Sends a message; gives its id.
fn sent(client: &mut Client, from: &str, to: &str) -> String {
    client.command(&format!("MAIL FROM:<{from}> SMTPUTF8"), 250);
    client.command(&format!("RCPT TO:<{to}>"), 250);
    client.command("DATA", 354);
    client.send(MESSAGE).unwrap();
    client.command(".", 250).transaction()
}

#[test]
fn a_domain_is_the_same_in_either_form_wherever_it_is_written() {
    for configured in [U_LABELS, A_LABELS, "BÜCHER.example"] {
        let relay = with_domain(configured);
        let mut client = relay.client("mx");
        let offered = client.ehlo();
        assert!(offered.contains(&"SMTPUTF8".to_owned()), "{offered:?}");
        for domain in [U_LABELS, A_LABELS, "Bücher.EXAMPLE"] {
            let to = format!("jürgen@{domain}");
            let id = sent(&mut client, "ann@sender.example", &to);
            let shown = &relay.json(&["queue", "show", &id])[0];
            assert_eq!(shown["account"], "acme");
            assert_eq!(shown["smtputf8"], true);
            let kept = &shown["recipients"][0]["address"];
            assert_eq!(*kept, format!("jürgen@{}", domain.to_lowercase()));
        }
        client.command("MAIL FROM:<a@sender.example> SMTPUTF8", 250);
        client.command("RCPT TO:<x@büchen.example>", 550);
    }
}

#[test]
fn a_mailbox_is_one_recipient_in_either_form() {
    let relay = with_domain(U_LABELS);
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example> SMTPUTF8", 250);
    for to in [
        format!("help@{U_LABELS}"),
        format!("help@{A_LABELS}"),
        format!("Help@{A_LABELS}"),
    ] {
        client.command(&format!("RCPT TO:<{to}>"), 250);
    }
    client.command("DATA", 354);
    client.send(MESSAGE).unwrap();
    let id = client.command(".", 250).transaction();
    let shown = &relay.json(&["queue", "show", &id])[0];
    let recipients = shown["recipients"].as_array().unwrap().iter();
    let recipients: Vec<_> = recipients.map(|one| one["address"].clone()).collect();
    // Local parts that differ in case may be two mailboxes (RFC 5321 section 2.4).
    let kept = json!([format!("help@{U_LABELS}"), format!("Help@{A_LABELS}")]);
    assert_eq!(json!(recipients), kept);
}

#[test]
fn the_trace_field_says_how_it_came() {
    let relay = with_domain(U_LABELS);
    let mut client = relay.client("mx");
    client.ehlo();
    let id = sent(&mut client, "ä@sender.example", "ö@desk.example");
    let shown = &relay.json(&["queue", "show", &id])[0];
    assert_eq!(shown["reverse-path"], "ä@sender.example");
    let header = shown["header"].as_str().unwrap();
    let (field, _) = trace_field_and_rest(header.as_bytes());
    assert!(field.contains(" with UTF8SMTP id "), "{field}");
    assert!(field.contains("for <ö@desk.example>;"), "{field}");

    let mut client = relay.client("submission").authenticated("user", "secret");
    let id = sent(&mut client, "ä@desk.example", "ö@elsewhere.example");
    let shown = &relay.json(&["queue", "show", &id])[0];
    let header = shown["header"].as_str().unwrap();
    assert!(header.contains(" with UTF8SMTPSA id "), "{header}");
}

#[test]
fn utf8_without_smtputf8_is_refused() {
    let relay = with_domain(U_LABELS);
    let mut client = relay.client("mx");
    client.ehlo();
    for (line, code) in [
        ("MAIL FROM:<ä@sender.example>", "5.6.7"),
        ("MAIL FROM:<a@bücher.example> BODY=8BITMIME", "5.6.7"),
    ] {
        let reply = client.command(line, 553);
        assert_eq!(reply.enhanced(), Some(code), "{line}");
    }
    client.command("MAIL FROM:<a@sender.example>", 250);
    let reply = client.command("RCPT TO:<a@bücher.example>", 553);
    assert_eq!(reply.enhanced(), Some("5.6.7"));
    client.command("RCPT TO:<a@xn--bcher-kva.example>", 250);
}

/// Nobody sends in the name of another account, in whichever form its domain is written.
#[test]
fn a_foreign_name_is_foreign_in_either_form() {
    let relay = RelayBuilder::usual(([127, 0, 0, 1], 1).into())
        .with("[[account]]\nid = \"other\"\ndomains = [\"xn--bcher-kva.example\"]")
        .start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    for domain in [U_LABELS, A_LABELS] {
        let line = format!("MAIL FROM:<ä@{domain}> SMTPUTF8");
        assert_eq!(client.command(&line, 550).enhanced(), Some("5.7.1"));
        client.command("MAIL FROM:<ä@desk.example> SMTPUTF8", 250);
        client.command("RCPT TO:<x@elsewhere.example>", 250);
        client.command("DATA", 354);
        client
            .send(format!("From: <ä@{domain}>\r\n\r\nx\r\n"))
            .unwrap();
        assert_eq!(client.command(".", 550).enhanced(), Some("5.7.1"));
    }
}

/// Octets outside ASCII in a header section do not need the announcement: what some clients have
/// always sent is taken as it is, and goes on as it came.
#[test]
fn a_header_outside_ascii_is_taken_without_the_announcement() {
    let relay = with_domain(U_LABELS);
    let mut client = relay.client("mx");
    client.ehlo();
    let message = "From: <ann@sender.example>\r\nSubject: Grüße\r\n\r\nx\r\n";
    let reply = client.deliver(
        "ann@sender.example",
        &["user@desk.example"],
        message.as_bytes(),
    );
    let id = reply.unwrap().transaction();
    let shown = &relay.json(&["queue", "show", &id])[0];
    assert_eq!(shown["smtputf8"], json!(false));
    assert!(shown["header"].as_str().unwrap().contains("Grüße"));
}
