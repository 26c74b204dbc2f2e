//! A default route that names an LMTP server delivers to Dovecot.

use test_support::{Dovecot, RelayBuilder, Sink};

use crate::{awkward, nothing_is_queued, submit};

#[test]
fn dovecot_gets_the_mail_of_its_name() {
    let Some(dovecot) = Dovecot::start(&["help@desk.example"]) else {
        return;
    };
    let world = Sink::start();
    let port = dovecot.address().port();
    let relay = RelayBuilder::usual(world.address())
        .with(&format!(
            "[routes]\ninbound = \"lmtp desk\"\n\
             [lmtp.desk]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n"
        ))
        .start();
    submit(relay.address("mx"), &["help@desk.example"], &awkward());
    let messages = dovecot.mailbox("help@desk.example", 1);
    assert!(messages[0].ends_with(&awkward()));
    assert!(world.rest().is_empty());
    nothing_is_queued(relay);
}
