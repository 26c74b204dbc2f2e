//! A message with 8-bit octets meets a next hop without 8BITMIME (RFC 6152 section 3): it is
//! returned, or with `convert-8bit` sent in another encoding; never as it is.

use test_support::RelayBuilder;

use super::server::Server;

const EIGHT_BIT: &str =
    "From: ann@sender.example\r\nSubject: s\r\n\r\nViele Grüße aus dem Norden\r\n";

#[test]
fn an_8bit_message_is_returned_with_5_6_3() {
    let server = Server::start(&["PIPELINING"], "250 taken\r\n");
    let relay = RelayBuilder::usual(server.address).start();
    submit(&relay, EIGHT_BIT);
    let bounce = server.take();
    assert!(bounce.commands.contains(&"MAIL FROM:<>".to_owned()));
    let text = String::from_utf8(bounce.message).unwrap();
    assert!(text.is_ascii() && text.contains("5.6.3"), "{text}");
}

/// The notice has to pass there, too, with as much of the message as can. It is for somebody who has
/// logged in: to a stranger no message returns whole.
#[test]
fn a_notice_that_returns_it_whole_passes() {
    let chain = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;
    let server = Server::start(&["PIPELINING"], "250 taken\r\n");
    let relay = RelayBuilder::usual(server.address)
        .replace(chain, "chain = []")
        .start();
    for (message, returned) in [
        (
            EIGHT_BIT.to_owned(),
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n",
        ),
        // To convert it would be to break the signature.
        (
            format!("DKIM-Signature: v=1\r\n{EIGHT_BIT}"),
            "Content-Type: text/rfc822-headers\r\n",
        ),
    ] {
        let mut client = relay.client("submission").authenticated("user", "secret");
        client.command("MAIL FROM:<ann@sender.example> RET=FULL", 250);
        client.command("RCPT TO:<user@desk.example>", 250);
        client.command("DATA", 354);
        client.send(message).unwrap();
        client.command(".", 250);
        let bounce = server.take();
        assert!(bounce.commands.contains(&"MAIL FROM:<>".to_owned()));
        let text = String::from_utf8(bounce.message).unwrap();
        assert!(text.is_ascii() && text.contains(returned), "{text}");
        let whole = text.contains("Gr=C3=BC=C3=9Fe aus dem Norden");
        assert_eq!(whole, returned.contains("rfc822\r\n"), "{text}");
    }
}

#[test]
fn an_8bit_message_is_converted_if_allowed() {
    let server = Server::start(&["PIPELINING"], "250 taken\r\n");
    let relay = RelayBuilder::usual(server.address)
        .replace("[delivery]", "[delivery]\nconvert-8bit = true")
        .start();
    submit(&relay, EIGHT_BIT);
    let text = String::from_utf8(server.take().message).unwrap();
    assert!(
        text.ends_with(
            "Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n\r\n\
             Viele Gr=C3=BC=C3=9Fe aus dem Norden\r\n"
        ),
        "{text}"
    );
}

fn submit(relay: &test_support::Relay, message: &str) {
    let mut client = relay.client("mx");
    client.ehlo();
    let to = ["user@desk.example"];
    client
        .deliver("ann@sender.example", &to, message.as_bytes())
        .unwrap();
}
