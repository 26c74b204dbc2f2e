//! With a preset, an application that knows nothing of the relay gets mail in its own shape, and mail
//! waits while it does not take that.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use test_support::Sink;

use super::desk::{Desk, SECRET, recipient, relay_to, sent};
use crate::MESSAGE;

#[test]
fn rails_gets_the_message_with_its_recipient_and_password() {
    let (desk, world) = (Desk::answering(204), Sink::start());
    // This application wants to see a signature, too.
    let keys = format!(
        "secrets = [{SECRET:?}]\npreset = \"action-mailbox\"\napi-key = {{ env = \"INGRESS\" }}"
    );
    let relay = relay_to(desk.address, &world, &keys)
        .environment("INGRESS", "Zr4xJ9mQ")
        .start();
    sent(&relay);
    let posted = desk.take();
    assert!(posted.is_signed(), "{posted:?}");
    let password = BASE64_STANDARD.encode("actionmailbox:Zr4xJ9mQ");
    assert_eq!(posted.fields["authorization"], format!("Basic {password}"));
    assert_eq!(posted.fields["content-type"], "message/rfc822");
    assert!(
        posted
            .body
            .starts_with(b"X-Original-To: help@desk.example\r\n")
    );
    assert!(posted.body.ends_with(MESSAGE));
    relay.leaves_nothing(world);
}

#[test]
fn a_message_waits_while_the_settings_are_refused() {
    let (desk, world) = (Desk::answering(422), Sink::start());
    let keys = format!(
        "secrets = [{SECRET:?}]\npreset = \"zammad\"\napi-key = \"token\"\ngroup = \"Nobody\"\n\
         retry-seconds = [3600]"
    );
    let relay = relay_to(desk.address, &world, &keys).start();
    let id = sent(&relay);
    assert_eq!(desk.take().fields["authorization"], "Token token=token");
    let waits = relay.eventually("the attempt is on record", |relay| {
        Some(recipient(relay, &id)).filter(|one| one["attempts"] == 1)
    });
    assert_eq!(waits["status"], "queued", "{waits}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(world);
}
