//! Dovecot over LMTP answers for each recipient by himself (RFC 2033): who has a mailbox gets the
//! message, octet for octet, and the sender hears of who has none.

use test_support::{Dovecot, RelayBuilder};

use crate::{awkward, megabyte, nothing_is_queued, submit};

#[test]
fn recipients_with_a_mailbox_get_the_message() {
    let users = ["one@desk.example", "two@desk.example", "ann@sender.example"];
    let Some(dovecot) = Dovecot::start(&users) else {
        return;
    };
    let relay = RelayBuilder::usual(dovecot.address())
        .replace("tls = \"none\"", "tls = \"none\", protocol = \"lmtp\"")
        .start();
    let recipients = ["one@desk.example", "none@desk.example", "two@desk.example"];
    submit(relay.address("mx"), &recipients, &awkward());
    for user in ["one@desk.example", "two@desk.example"] {
        let messages = dovecot.mailbox(user, 1);
        assert!(messages[0].ends_with(&awkward()), "{user}");
    }
    let [bounce] = dovecot.mailbox("ann@sender.example", 1).try_into().unwrap();
    let report = String::from_utf8(bounce).unwrap();
    let failed = "Final-Recipient: rfc822;none@desk.example\r\n";
    assert!(report.replace("; ", ";").contains(failed), "{report}");
    assert!(report.contains("550 5.1.1 "), "{report}");
    assert_eq!(report.matches("Final-Recipient:").count(), 1, "{report}");

    submit(relay.address("mx"), &["one@desk.example"], &megabyte());
    let messages = dovecot.mailbox("one@desk.example", 2);
    assert!(
        messages
            .iter()
            .any(|message| message.ends_with(&megabyte()))
    );
    nothing_is_queued(relay);
}
