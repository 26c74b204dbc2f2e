//! A message that comes as it is, with its envelope in the query.

use super::{Desk, HELP};

const MESSAGE: &str = "From: Desk <help@acme.desk.test>\nTo: ann@customer.example\n\
    Subject: as it is\n\nLine one\n.\nLine three\n";

#[test]
fn a_message_as_it_is_is_delivered_to_its_envelope() {
    let desk = Desk::start();
    let query = format!("?from={HELP}&to=ann@customer.example&to=bob@customer.example");
    let kind = "Content-Type: message/rfc822\r\n";
    let accepted = desk
        .sends(&query, kind, MESSAGE.as_bytes())
        .with_status(202);
    assert_eq!(accepted.body["recipients"].as_array().unwrap().len(), 2);
    let taken = desk.world.take();
    assert_eq!((taken.from.as_str(), taken.to.len()), (HELP, 2));
    // Lines end in CRLF, and a dot alone ends nothing.
    assert!(
        taken.text().contains("Line one\r\n.\r\nLine three\r\n"),
        "{}",
        taken.text()
    );

    let nobody = desk.sends("?from=help@acme.desk.test", kind, MESSAGE.as_bytes());
    assert_eq!(nobody.with_status(400).code(), "request.not-understood");
    let other = desk.sends(&query, "Content-Type: text/plain\r\n", MESSAGE.as_bytes());
    other.with_status(415);
    desk.ends();
}
