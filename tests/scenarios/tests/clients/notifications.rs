//! What a sender wants to hear of a message (RFC 3461), for scenarios that show how it gets
//! through.

use std::net::SocketAddr;

use test_support::{Client, Taken};

use crate::numbered;

const MESSAGE: &str = "RET=HDRS ENVID=QQ+2B314159";

/// A recipient, and what is to be told of him.
pub type Asked = (&'static str, &'static str);

/// Of whom more is to be told than usual.
pub const MORE: Asked = (
    "more@desk.example",
    "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2Bx@desk.example",
);

/// Of whom nothing is to be told.
pub const NEVER: Asked = (
    "never@desk.example",
    "NOTIFY=NEVER ORCPT=rfc822;second@desk.example",
);

/// Sends a message that asks for this.
pub fn ask(server: SocketAddr, recipients: &[Asked]) {
    let mut client = Client::greeted(server);
    client.ehlo();
    client.command(&format!("MAIL FROM:<ann@sender.example> {MESSAGE}"), 250);
    for (address, asked) in recipients {
        client.command(&format!("RCPT TO:<{address}> {asked}"), 250);
    }
    client.command("DATA", 354);
    client.send(numbered(1)).unwrap();
    client.command(".", 250);
    client.command("QUIT", 221);
}

/// Fails unless it arrived as it was asked for.
pub fn assert_asked(taken: &Taken, recipients: &[Asked]) {
    assert_eq!(taken.dsn, MESSAGE);
    let arrived: Vec<_> = taken.to.iter().zip(&taken.dsn_to).collect();
    assert_eq!(arrived.len(), recipients.len(), "{arrived:?}");
    for (address, asked) in recipients {
        let arrived = arrived.iter().find(|(to, _)| to == address);
        assert!(
            arrived.is_some_and(|(_, arrived)| arrived == asked),
            "{taken:?}"
        );
    }
}
