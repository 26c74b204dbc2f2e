//! What no message may hold does not get into the first relay: NUL, CR and LF outside of line ends
//! (RFC 5321 section 2.3.8), a line that is too long.

use super::pair::Pair;

#[test]
fn the_first_relay_refuses_it() {
    let pair = Pair::start();
    let long = [&[b'x'; 999], &b"\r\n"[..]].concat();
    let bodies: [(&str, &[u8]); 4] = [
        ("NUL", b"a\0b\r\n"),
        ("bare LF", b"a\nb\r\n"),
        ("bare CR", b"a\rb\r\n"),
        ("999 octets", &long),
    ];
    for (kind, body) in bodies {
        let mut client = pair.client();
        client.command("MAIL FROM:<ann@sender.example>", 250);
        client.command("RCPT TO:<user@desk.example>", 250);
        client.command("DATA", 354);
        let message = [b"Subject: odd\r\n\r\n", body, b".\r\n"].concat();
        client.send(message).unwrap();
        let reply = client.reply().unwrap();
        assert_eq!(reply.code / 100, 5, "{kind}: {}", reply.text());
    }
    pair.end();
}
