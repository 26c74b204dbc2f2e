//! Lines of more than 998 octets go to Postfix as they are in a chunk, and in another encoding where
//! it offers none.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, body, nothing_is_left, submit};

fn long() -> String {
    let line = "word ".repeat(800);
    format!("From: Ann <ann@sender.example>\r\nSubject: long\r\n\r\n{line}\r\n.short\r\n")
}

#[test]
fn long_lines_arrive_as_they_are_by_bdat() {
    let sink = Sink::start();
    // What it does with them when it sends them on is its own affair.
    let Some(postfix) = Postfix::with(sink.address(), "smtp_line_length_limit = 0") else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    submit(
        relay.address("mx"),
        &["user@desk.example"],
        long().as_bytes(),
    );
    assert_whole(&sink.take(), long().as_bytes());
    let session = postfix.logged("disconnect from ");
    assert!(session.contains(" bdat="), "{session}");
    nothing_is_left(relay, postfix, sink);
}

#[test]
fn long_lines_are_encoded_without_chunking() {
    let sink = Sink::start();
    let without = "smtpd_discard_ehlo_keywords = chunking, silent-discard";
    let Some(postfix) = Postfix::with(sink.address(), without) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    submit(
        relay.address("mx"),
        &["user@desk.example"],
        long().as_bytes(),
    );
    let taken = sink.take();
    let encoding = taken.header("Content-Transfer-Encoding");
    assert_eq!(encoding.as_deref(), Some("quoted-printable"));
    let arrived = String::from_utf8(body(&taken.bytes()).to_vec()).unwrap();
    let decoded = arrived.replace("=\r\n", "").replace("=20", " ");
    assert_eq!(decoded.as_bytes(), body(long().as_bytes()));
    nothing_is_left(relay, postfix, sink);
}
