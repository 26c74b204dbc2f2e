//! Of an address outside ASCII the sender is told in the types of RFC 6533, in a message that
//! still passes where only ASCII does.

use test_support::{RelayBuilder, Sink};

use super::{Notice, submit};

const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    Subject: Reuni\xc3\xa3o\r\n\
    \r\n\
    Hello!\r\n";

#[test]
fn the_address_stands_in_the_notice_as_it_is_written() {
    let sink = Sink::with(&["--fail-rcpt", "@desk.example"]);
    let relay = RelayBuilder::usual(sink.address()).start();
    submit(&relay, " SMTPUTF8", "josé@desk.example", "", MESSAGE);
    let taken = sink.take();
    assert_eq!(taken.to, ["ann@sender.example"]);
    assert!(taken.bytes().is_ascii());
    assert!(taken.text().contains("message/global-delivery-status"));
    let notice = Notice::read(&taken.bytes());
    assert_eq!(notice.subject, "Not delivered");
    let field = "Final-Recipient: utf-8; josé@desk.example\r\n";
    assert!(notice.status.contains(field), "{}", notice.status);
    let (kind, returned) = notice.returned;
    assert_eq!(kind, "message/global-headers");
    assert!(returned.contains("Subject: Reunião\r\n"), "{returned}");
    relay.leaves_nothing(sink);
}
