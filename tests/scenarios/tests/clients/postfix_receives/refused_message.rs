//! Postfix refuses the message itself, at MAIL or at its end: the sender gets a bounce in
//! Postfix's words, and nobody the message.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{awkward, megabyte, nothing_is_left, submit};

/// The relay says the size with MAIL (RFC 1870).
#[test]
fn a_message_is_too_large() {
    bounces("message_size_limit = 100000", &megabyte(), "552 5.3.4 ");
}

#[test]
fn a_message_is_refused_at_its_end() {
    let access = "smtpd_end_of_data_restrictions = check_sender_access inline:{ \
                  { ann@sender.example=REJECT not from you } }";
    bounces(access, &awkward(), "554 5.7.1 ");
}

fn bounces(main: &str, message: &[u8], said: &str) {
    let sink = Sink::start();
    let Some(postfix) = Postfix::with(sink.address(), main) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    let recipients = ["one@desk.example", "two@desk.example"];
    submit(relay.address("mx"), &recipients, message);
    let bounce = sink.take();
    assert_eq!(bounce.from, "");
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    for recipient in recipients {
        let about = format!("Final-Recipient: rfc822; {recipient}\r\n");
        assert!(report.contains(&about), "{report}");
    }
    let said = format!("Diagnostic-Code: smtp; {said}");
    assert_eq!(report.matches(&said).count(), 2, "{report}");
    nothing_is_left(relay, postfix, sink);
}
