//! Who does not prove to be a user is told so, always in the same words, and stays nobody
//! (RFC 4954 sections 4 and 6).

use std::collections::BTreeSet;

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

/// User and password are wrong in some way; the user's name is in the comment.
const WRONG: &[&str] = &[
    "AHVzZXIAd3Jvbmc=",     // user, wrong password
    "AHVzZXIAc2VjcmV0cw==", // user, the right password and a letter
    "AHVzZXIAc2VjcmU=",     // user, the right password but for a letter
    "AHVzZXIAU0VDUkVU",     // user, the right password in capitals
    "AFVTRVIAc2VjcmV0",     // USER, right password
    "AG5vYm9keQBzZWNyZXQ=", // nobody, the password of user
];

#[test]
fn a_wrong_password_sounds_like_an_unknown_user() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    let replies: BTreeSet<String> = WRONG
        .iter()
        .map(|response| {
            client
                .command(&format!("AUTH PLAIN {response}"), 535)
                .text()
        })
        .collect();
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert!(replies.first().unwrap().starts_with("5.7.8 "));
    client.command("MAIL FROM:<user@desk.example>", 530);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_malformed_response_is_told_apart() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    client.command("AUTH PLAIN !!!!", 501);
    client.command("AUTH PLAIN dXNlcg==", 501);
    client.command("AUTH PLAIN =", 501);
    client.command("AUTH", 501);
    client.command("AUTH CRAM-MD5", 504);
    client.command("AUTH LOGIN", 334);
    client.command("*", 501);
    // The right password, to act for somebody else.
    client.command("AUTH PLAIN b3RoZXIAdXNlcgBzZWNyZXQ=", 535);
    client.command("MAIL FROM:<user@desk.example>", 530);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_login_succeeds_after_a_failure() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    client.command("AUTH PLAIN AHVzZXIAd3Jvbmc=", 535);
    client.command("AUTH PLAIN AHVzZXIAc2VjcmV0", 235);
    client.command("AUTH PLAIN AHVzZXIAc2VjcmV0", 503);
    let reply = client.deliver("user@desk.example", &["x@elsewhere.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    sink.take();
    drop(client);
    relay.leaves_nothing(sink);
}

/// Guessing ends soon.
#[test]
fn guessing_ends_the_session() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nerrors = 3")
        .start();
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    for _ in 0..3 {
        client.command("AUTH PLAIN AHVzZXIAd3Jvbmc=", 535);
    }
    client.command("AUTH PLAIN AHVzZXIAc2VjcmV0", 421);
    assert!(client.closed());
    drop(client);
    relay.leaves_nothing(sink);
}
