//! Postfix refuses one of several recipients: the others get the message, and the sender a
//! bounce in Postfix's words.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward, nothing_is_left, submit};

#[test]
fn other_recipients_get_it_and_the_sender_a_bounce() {
    let sink = Sink::start();
    let access = "smtpd_recipient_restrictions = check_recipient_access inline:{ \
                  { bad@desk.example=REJECT nobody of that name } }";
    let Some(postfix) = Postfix::with(sink.address(), access) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    let recipients = ["one@desk.example", "bad@desk.example", "two@desk.example"];
    submit(relay.address("mx"), &recipients, &awkward());
    let mut taken = [sink.take(), sink.take()];
    taken.sort_by_key(|taken| taken.from.is_empty());
    let [message, bounce] = taken;
    assert_eq!(message.from, "ann@sender.example");
    assert_eq!(message.to, ["one@desk.example", "two@desk.example"]);
    assert_whole(&message, &awkward());
    assert_eq!(bounce.from, "");
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    let said = "Diagnostic-Code: smtp; 554 5.7.1 <bad@desk.example>: Recipient address rejected: \
                nobody of that name";
    let report = report.replace("\r\n ", " ").replace("\r\n\t", " ");
    assert!(report.contains(said), "{report}");
    assert_eq!(report.matches("Final-Recipient:").count(), 1, "{report}");
    nothing_is_left(relay, postfix, sink);
}
