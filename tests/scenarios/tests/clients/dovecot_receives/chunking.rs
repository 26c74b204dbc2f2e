//! A message without an end to its last line goes to Dovecot in a chunk (RFC 3030), and gets into
//! the mailbox as it was sent: DATA would have ended the line.

use test_support::{Dovecot, RelayBuilder};

use crate::{OPEN, nothing_is_queued, submit_in_chunks};

#[test]
fn the_last_line_stays_open() {
    let Some(dovecot) = Dovecot::start(&["user@desk.example"]) else {
        return;
    };
    let relay = RelayBuilder::usual(dovecot.address())
        .replace("tls = \"none\"", "tls = \"none\", protocol = \"lmtp\"")
        .start();
    submit_in_chunks(relay.address("mx"), &["user@desk.example"], OPEN);
    let messages = dovecot.mailbox("user@desk.example", 1);
    assert!(messages[0].ends_with(OPEN));
    nothing_is_queued(relay);
}
