//! A help desk elsewhere uses a new address for each answer, and our application answers each:
//! counts by address alone would not find the loop.

use crate::{AUTOMATIC, DESK, Exchange};

/// Returns the number of answers that go out before one is suppressed; the other side's `n`th
/// letter has these fields, and its answer goes to this address.
fn answers(theirs: impl Fn(u32) -> (String, String)) -> u32 {
    crate::answers(|number| {
        let (fields, answer_to) = theirs(number);
        Exchange {
            reverse_path: "desk@b.example",
            letter: format!(
                "{fields}To: {DESK}\r\nSubject: Request {number}\r\n\
                 Message-ID: <{number}@b.example>\r\n\r\n\
                 We have received your request, and will see to it. {number}\r\n"
            ),
            answer_to,
            answer: format!(
                "{AUTOMATIC}From: {DESK}\r\nSubject: New ticket\r\n\
                 Message-ID: <{number}@desk.example>\r\n\r\nThere is a new ticket.\r\n"
            ),
        }
    })
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
