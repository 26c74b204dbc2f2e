//! A client that goes in the middle of its data leaves nothing: no message, no file, only the
//! record that it went (RFC 5321 section 4.1.1.4: what has no end was never handed over).

use test_support::{RelayBuilder, Sink};

#[test]
fn a_small_message_cut_short_is_no_message() {
    cut_off_after(b"Subject: half\r\n\r\nhalf a li".to_vec());
}

/// Large ones are in a file while they arrive.
#[test]
fn a_large_message_cut_short_leaves_no_file() {
    let mut octets = b"Subject: half\r\n\r\n".to_vec();
    octets.extend(b"a line of the message\r\n".repeat(50_000));
    cut_off_after(octets);
}

/// All but the last octet of the end is no end.
#[test]
fn a_message_without_the_last_octet_is_no_message() {
    cut_off_after(b"Subject: almost\r\n\r\nall of it\r\n.\r".to_vec());
}

fn cut_off_after(octets: Vec<u8>) {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    let id = client
        .command("MAIL FROM:<ann@sender.example>", 250)
        .transaction();
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("DATA", 354);
    client.send(octets).unwrap();
    drop(client);

    relay.logged("aborted");
    let trace = relay.json(&["trace", &id]);
    assert_eq!(trace.last().unwrap()["event"], "aborted", "{trace:?}");
    assert_eq!(relay.bodies(), 0);
    relay.leaves_nothing(sink);
}
