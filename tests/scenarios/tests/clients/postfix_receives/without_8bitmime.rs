//! Postfix does not offer 8BITMIME: a message with 8-bit octets goes back to its sender (RFC 6152
//! section 3) or is converted, one without goes on.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward, megabyte, nothing_is_left, submit};

const WITHOUT: &str = "smtpd_discard_ehlo_keywords = 8bitmime, silent-discard";

#[test]
fn a_message_with_eight_bits_goes_back() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::with(sink.address(), WITHOUT) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    submit(relay.address("mx"), &["user@desk.example"], &awkward());
    let bounce = sink.take();
    assert_eq!(bounce.from, "");
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    assert!(report.contains("Status: 5.6.3"), "{report}");

    submit(relay.address("mx"), &["user@desk.example"], &megabyte());
    assert_whole(&sink.take(), &megabyte());
    nothing_is_left(relay, postfix, sink);
}

#[test]
fn an_8bit_message_is_converted_if_allowed() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::with(sink.address(), WITHOUT) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address())
        .replace("[delivery]", "[delivery]\nconvert-8bit = true")
        .start();
    let message = "From: Ann <ann@sender.example>\r\n\r\n.Grüße\r\n";
    submit(
        relay.address("mx"),
        &["user@desk.example"],
        message.as_bytes(),
    );
    let taken = sink.take();
    let encoding = taken.header("Content-Transfer-Encoding");
    assert_eq!(encoding.as_deref(), Some("quoted-printable"));
    assert_eq!(crate::body(&taken.bytes()), b".Gr=C3=BC=C3=9Fe\r\n");
    nothing_is_left(relay, postfix, sink);
}
