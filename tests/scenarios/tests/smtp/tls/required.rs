//! A listener that takes no mail without STARTTLS (RFC 3207 section 4).

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, trace_field_and_rest};

#[test]
fn mail_without_required_tls_is_refused() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\ntls = \"required-starttls\"",
        )
        .start();
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    assert!(offered.contains(&"STARTTLS".to_owned()), "{offered:?}");
    for command in [
        "MAIL FROM:<ann@sender.example>",
        "RCPT TO:<user@desk.example>",
        "DATA",
        "RSET",
        "VRFY user",
        "HELO client.example",
    ] {
        let reply = client.command(command, 530);
        assert_eq!(reply.enhanced(), Some("5.7.0"), "{command}");
    }
    client.command("NOOP", 250);

    client.starttls();
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    let arrived = sink.take().bytes();
    let (field, _) = trace_field_and_rest(&arrived);
    assert!(field.contains(" with ESMTPS id "), "{field}");
    client.command("QUIT", 221);

    let mut client = relay.client("mx");
    client.command("QUIT", 221);
    drop(client);
    relay.leaves_nothing(sink);
}
