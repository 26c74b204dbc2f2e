//! Mail goes into a Maildir, one file a recipient, with the fields of a final delivery on top; a
//! relative path is relative to the configuration.

use std::fs;

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn inbound_mail_goes_into_the_named_maildir() {
    let world = Sink::start();
    let relay = RelayBuilder::usual(world.address())
        .with("[routes]\ninbound = \"maildir desk\"\n[maildir.desk]\npath = \"desk\"\n")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    let to = ["help@desk.example", "sales@desk.example"];
    client.deliver("ann@sender.example", &to, MESSAGE).unwrap();
    let new = relay.directory().join("desk/new");
    let files = relay.eventually("both files are there", |_| {
        let files = fs::read_dir(&new).ok()?.flatten();
        let files: Vec<_> = files.map(|file| fs::read(file.path()).unwrap()).collect();
        (files.len() == 2).then_some(files)
    });
    for recipient in to {
        let top = format!("Return-Path: <ann@sender.example>\r\nDelivered-To: {recipient}\r\n");
        let file = files.iter().find(|file| file.starts_with(top.as_bytes()));
        let file = file.unwrap_or_else(|| panic!("{}", files[0].escape_ascii()));
        assert!(file.ends_with(MESSAGE));
    }
    relay.leaves_nothing(world);
}
