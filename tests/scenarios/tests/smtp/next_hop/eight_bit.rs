//! A message with 8-bit octets meets a next hop without 8BITMIME (RFC 6152 section 3): it is
//! returned, or with `convert-8bit` sent in another encoding; never as it is.

use test_support::RelayBuilder;

use super::server::Server;

const EIGHT_BIT: &str =
    "From: ann@sender.example\r\nSubject: s\r\n\r\nViele Grüße aus dem Norden\r\n";

#[test]
fn it_is_returned_with_5_6_3() {
    let server = Server::start(&["PIPELINING"], "250 taken\r\n");
    let relay = RelayBuilder::usual(server.address).start();
    submit(&relay, EIGHT_BIT);
    let bounce = server.take();
    assert!(bounce.commands.contains(&"MAIL FROM:<>".to_owned()));
    let text = String::from_utf8(bounce.message).unwrap();
    assert!(text.is_ascii() && text.contains("5.6.3"), "{text}");
}

#[test]
fn it_is_converted_where_that_is_allowed() {
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
