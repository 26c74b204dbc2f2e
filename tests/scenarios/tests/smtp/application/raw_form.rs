//! In the raw form the message is the whole request, signed, with the envelope in its fields.

use test_support::Sink;

use super::desk::{Desk, SECRET, relay_to, sent};
use crate::MESSAGE;

#[test]
fn a_raw_request_is_the_message() {
    let (desk, world) = (Desk::answering(200), Sink::start());
    let keys = "secrets = [{ env = \"DESK_SECRET\" }]\nform = \"raw\"";
    let relay = relay_to(desk.address, &world, keys)
        .environment("DESK_SECRET", SECRET)
        .start();
    let id = sent(&relay);
    let posted = desk.take();
    assert!(posted.is_signed(), "{posted:?}");
    assert_eq!(posted.fields["content-type"], "message/rfc822");
    assert_eq!(posted.fields["x-gatepost-transaction"], id);
    assert_eq!(posted.fields["x-gatepost-mail-from"], "ann@sender.example");
    assert_eq!(posted.fields["x-gatepost-rcpt-to"], "help@desk.example");
    assert!(posted.body.ends_with(MESSAGE));
    relay.leaves_nothing(world);
}
