//! What no message may hold does not get past the first relay: NUL, CR and LF outside of line ends
//! (RFC 5321 section 2.3.8) are repaired there, so that the second, which repairs nothing and takes
//! no long line, takes the message; a line that is too long for the first is refused by it.

use test_support::{RelayBuilder, Sink};

/// Name, message, and the message that the second relay gets, if any.
type Case<'a> = (&'a str, &'a [u8], Option<&'a [u8]>);

#[test]
fn the_first_relay_refuses_or_repairs_it() {
    let sink = Sink::start();
    let second = RelayBuilder::usual(sink.address())
        .with("[repair]\nline-ends = false\nopening = false")
        .start();
    let first = RelayBuilder::usual(second.address("mx")).start();
    let long = [&[b'x'; 70_000], &b"\r\n"[..]].concat();
    let bodies: [Case<'_>; 4] = [
        ("NUL", b"a\0b\r\n", Some(b"ab\r\n")),
        ("bare LF", b"a\n.\n.b\r\n", Some(b"a\r\n.\r\n.b\r\n")),
        ("bare CR", b"a\r.\r.b\r\n", Some(b"a\r\n.\r\n.b\r\n")),
        ("70,000 octets", &long, None),
    ];
    for (kind, body, repaired) in bodies {
        let mut client = first.client("mx");
        client.ehlo();
        client.command("MAIL FROM:<ann@sender.example>", 250);
        client.command("RCPT TO:<user@desk.example>", 250);
        client.command("DATA", 354);
        let message = [b"Subject: odd\r\n\r\n", body, b".\r\n"].concat();
        client.send(message).unwrap();
        let reply = client.reply().unwrap();
        match repaired {
            None => assert_eq!(reply.code, 500, "{kind}: {}", reply.text()),
            Some(repaired) => {
                assert_eq!(reply.code, 250, "{kind}: {}", reply.text());
                let arrived = sink.take().bytes();
                let body = [b"\r\n\r\n", repaired].concat();
                assert!(arrived.ends_with(&body), "{kind}");
            }
        }
    }
    let mut first = first;
    assert!(first.terminate().success(), "{}", first.log());
    second.leaves_nothing(sink);
}
