//! A help desk elsewhere uses a new address for each answer, and our application answers each:
//! counts by address alone would not find the loop.

use test_support::{RelayBuilder, Sink};

use crate::{AUTOMATIC, DESK, enter, submit, suppressed, taken};

/// Returns the number of answers that go out before nothing more does; the other side's `n`th
/// letter has these fields.
fn answers(theirs: impl Fn(u32) -> (String, String)) -> u32 {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut sent = 0;
    loop {
        let (fields, answer_to) = theirs(sent);
        let message = format!(
            "{fields}To: {DESK}\r\nSubject: Request {sent}\r\nMessage-ID: <{sent}@b.example>\r\n\r\n\
             We have received your request, and will see to it. {sent}\r\n"
        );
        taken(&enter(&relay, "desk@b.example", &message));
        sink.take();
        let answer = format!(
            "{AUTOMATIC}From: {DESK}\r\nSubject: New ticket\r\nMessage-ID: <{sent}@desk.example>\r\n\
             \r\nThere is a new ticket.\r\n"
        );
        let id = taken(&submit(&relay, DESK, &[&answer_to], &answer));
        if !suppressed(&relay, &id).is_empty() {
            break;
        }
        sink.take();
        sent += 1;
        assert!(sent <= 5, "it goes on after {sent} answers");
    }
    relay.leaves_nothing(sink);
    sent
}

#[test]
fn loops_with_a_new_reply_to_each_time_end() {
    let sent = answers(|number| {
        let to = format!("desk-reply-{number}@b.example");
        (format!("From: desk@b.example\r\nReply-To: {to}\r\n"), to)
    });
    assert!(sent >= 3, "only {sent}");
}

#[test]
fn loops_with_a_new_author_and_host_each_time_end() {
    let sent = answers(|number| {
        let from = format!("ticket-{number}@n{number}.b.example");
        (format!("From: {from}\r\n"), from)
    });
    assert!(sent >= 3, "only {sent}");
}
