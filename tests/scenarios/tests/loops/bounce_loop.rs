//! A customer's address is gone. Its server accepts each notification and bounces it, the bounce
//! becomes part of the ticket, and the application notifies the customer of that. The loop ends,
//! even if the application ignores the tag.

use test_support::{RelayBuilder, Sink};

use crate::{AUTOMATIC, DESK, enter, submit, suppressed, taken};

const GONE: &str = "nosuch@customer.example";

#[test]
fn bounces_count_against_the_recipient_that_they_name() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut sent = 0;
    loop {
        let notification = format!(
            "{AUTOMATIC}From: {DESK}\r\nTo: {GONE}\r\nSubject: [#4711] Your ticket\r\n\
             Message-ID: <n{sent}@desk.example>\r\n\r\nSomething was added to your ticket.\r\n"
        );
        let id = taken(&submit(&relay, DESK, &[GONE], &notification));
        if !suppressed(&relay, &id).is_empty() {
            break;
        }
        assert_eq!(sink.take().to, [GONE]);
        sent += 1;
        assert!(sent <= 5, "it goes on after {sent} notifications");
        let bounce = format!(
            "From: MAILER-DAEMON@mx.customer.example\r\nTo: {DESK}\r\n\
             Subject: Undelivered Mail Returned to Sender\r\n\
             Message-ID: <b{sent}@mx.customer.example>\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\n\r\nIt could not be delivered.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.customer.example\r\n\r\n\
             Final-Recipient: rfc822; {GONE}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
        );
        taken(&enter(&relay, "", &bounce));
        let tag = sink.take().header("X-Gatepost-Tags");
        assert_eq!(tag.as_deref(), Some("report-failure, suppress-automatic"));
    }
    relay.leaves_nothing(sink);
}
