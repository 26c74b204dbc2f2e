//! A next hop in a network of `xforward-to` that offers XFORWARD learns who sent the message.

use test_support::RelayBuilder;

use super::server::Server;
use crate::MESSAGE;

#[test]
fn the_client_and_the_transaction_are_named_before_mail() {
    let server = Server::start(&["XFORWARD NAME ADDR HELO IDENT SOURCE"], "250 taken\r\n");
    let relay = RelayBuilder::usual(server.address)
        .replace("[delivery]", "[delivery]\nxforward-to = [\"127.0.0.0/8\"]")
        .start();
    let mut client = relay.client("mx");
    client.command("EHLO client.example", 250);
    let to = ["user@desk.example"];
    let id = client
        .deliver("ann@sender.example", &to, MESSAGE)
        .unwrap()
        .transaction();
    assert_eq!(
        server.take().commands[1..3],
        [
            format!(
                "XFORWARD NAME=[UNAVAILABLE] ADDR=127.0.0.1 HELO=client.example IDENT={id} \
                 SOURCE=REMOTE"
            ),
            "MAIL FROM:<ann@sender.example>".to_owned(),
        ]
    );
}
