//! A machine elsewhere writes each letter from a new domain, with new words and a new subject,
//! with the marks of a person's mail program, and without a reference. It writes only because it
//! is written to, and this ends the loop.

use test_support::{RelayBuilder, Sink};

use crate::{AUTOMATIC, DESK, enter, submit, suppressed, taken};

/// Letters of nobody's language, others for each number.
fn words(number: u32) -> String {
    let words = (0..9).map(|at| {
        let figures = (number * 9 + at + 100).pow(2).to_string();
        let letters = figures
            .bytes()
            .map(|figure| char::from(figure - b'0' + b'k'));
        letters.collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the number of answers that go out before nothing more does; the letters have these
/// fields, and their answers go to this address.
fn answers(theirs: impl Fn(u32) -> (String, String)) -> u32 {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut sent = 0;
    loop {
        let (fields, answer_to) = theirs(sent);
        let message = format!(
            "{fields}To: {DESK}\r\nSubject: {}\r\nMessage-ID: <{sent}@o.example>\r\n\
             X-Mailer: Microsoft Outlook 16.0\r\nThread-Index: AQHabcd{sent}\r\n\r\n{}\r\n",
            words(sent + 500),
            words(sent)
        );
        taken(&enter(&relay, "bounces@o.example", &message));
        sink.take();
        let answer = format!(
            "{AUTOMATIC}From: {DESK}\r\nSubject: {}\r\nMessage-ID: <{sent}@desk.example>\r\n\
             \r\n{}\r\n",
            words(sent + 700),
            words(sent + 900)
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
fn loops_from_new_domains_end() {
    let sent = answers(|number| {
        let from = format!("ann@d{number}.example");
        (format!("From: {from}\r\n"), from)
    });
    assert_eq!(sent, 4);
}

#[test]
fn loops_from_new_addresses_of_one_domain_end() {
    let sent = answers(|number| {
        let from = format!("ann{number}@b.example");
        (format!("From: {from}\r\n"), from)
    });
    assert_eq!(sent, 4);
}

#[test]
fn loops_with_reply_to_at_new_domains_end() {
    for theirs in ["b.example", "c.example"] {
        let sent = answers(|number| {
            let to = format!("ann{number}@{theirs}");
            (format!("From: desk@b.example\r\nReply-To: {to}\r\n"), to)
        });
        assert!((3..=4).contains(&sent), "{sent}");
    }
}
