//! A machine elsewhere writes each letter from a new domain, with new words and a new subject,
//! with the marks of a person's mail program, and without a reference. It writes only because it
//! is written to, and this ends the loop.

use crate::{AUTOMATIC, DESK, Exchange};

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

/// Returns the number of answers that go out before one is suppressed; the letters have these
/// fields, and their answers go to this address.
fn answers(theirs: impl Fn(u32) -> (String, String)) -> u32 {
    crate::answers(|number| {
        let (fields, answer_to) = theirs(number);
        Exchange {
            reverse_path: "bounces@o.example",
            letter: format!(
                "{fields}To: {DESK}\r\nSubject: {}\r\nMessage-ID: <{number}@o.example>\r\n\
                 X-Mailer: Microsoft Outlook 16.0\r\nThread-Index: AQHabcd{number}\r\n\r\n{}\r\n",
                words(number + 500),
                words(number)
            ),
            answer_to,
            answer: format!(
                "{AUTOMATIC}From: {DESK}\r\nSubject: {}\r\n\
                 Message-ID: <{number}@desk.example>\r\n\r\n{}\r\n",
                words(number + 700),
                words(number + 900)
            ),
        }
    })
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
