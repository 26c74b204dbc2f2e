//! A route that requires TLS gets it from Dovecot over LMTP, too.

use test_support::{Dovecot, RelayBuilder};

use crate::{awkward, nothing_is_queued, submit};

#[test]
fn a_message_arrives_under_tls() {
    let Some(dovecot) = Dovecot::start(&["user@desk.example"]) else {
        return;
    };
    let trust = format!("retry = [\"1s\"]\nca-file = {:?}", dovecot.certificate());
    let relay = RelayBuilder::usual(dovecot.address())
        .replace("tls = \"none\"", "tls = \"required\", protocol = \"lmtp\"")
        .replace("retry = [\"1s\"]", &trust)
        .start();
    submit(relay.address("mx"), &["user@desk.example"], &awkward());
    let messages = dovecot.mailbox("user@desk.example", 1);
    assert!(messages[0].ends_with(&awkward()));
    let text = String::from_utf8_lossy(&messages[0]);
    let field = text.lines().find(|line| line.contains(" with LMTP"));
    assert!(
        field.is_some_and(|field| field.contains(" with LMTPS")),
        "{text}"
    );
    nothing_is_queued(relay);
}
