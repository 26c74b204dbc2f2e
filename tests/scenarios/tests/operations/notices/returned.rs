//! With RET=FULL a message that fails comes back whole, with RET=HDRS its header does; ENVID and
//! ORCPT come back as the sender wrote them.

use test_support::{RelayBuilder, Sink};

use super::{CHAIN, Notice, submit_as_user};
use crate::MESSAGE;

#[test]
fn as_much_of_the_message_is_returned_as_was_asked_for() {
    let sink = Sink::with(&["--fail-rcpt", "gone@"]);
    let relay = RelayBuilder::usual(sink.address())
        .replace(CHAIN, "chain = []")
        .with("[suppression]\nrecord = false")
        .start();
    let to = "gone@desk.example";

    let mail = " RET=FULL ENVID=QQ+2B314159";
    let rcpt = " NOTIFY=FAILURE ORCPT=rfc822;first@desk.example";
    submit_as_user(&relay, mail, to, rcpt, MESSAGE);
    let notice = Notice::read(&sink.take().bytes());
    assert_eq!(notice.subject, "Not delivered: hello");
    assert!(
        notice
            .text
            .contains("gone@desk.example (you wrote to first@desk.example)"),
        "{}",
        notice.text
    );
    assert!(notice.text.contains("There is no mailbox of this name."));
    for field in [
        "Original-Envelope-Id: QQ+314159\r\n",
        "Reporting-MTA: dns; mx.desk.example\r\n",
        "Original-Recipient: rfc822; first@desk.example\r\n",
        "Final-Recipient: rfc822; gone@desk.example\r\n",
        "Action: failed\r\n",
        "Status: 5.1.1\r\n",
        "Remote-MTA: dns; [127.0.0.1]\r\n",
    ] {
        assert!(notice.status.contains(field), "{field}: {}", notice.status);
    }
    let (kind, returned) = notice.returned;
    assert_eq!(kind, "message/rfc822");
    assert!(returned.contains("Subject: hello\r\n"), "{returned}");
    assert!(returned.contains("Hello!"), "{returned}");

    submit_as_user(&relay, " RET=HDRS", to, "", MESSAGE);
    let (kind, returned) = Notice::read(&sink.take().bytes()).returned;
    assert_eq!(kind, "text/rfc822-headers");
    assert!(returned.contains("Subject: hello\r\n"), "{returned}");
    assert!(!returned.contains("Hello!"), "{returned}");
    relay.leaves_nothing(sink);
}
