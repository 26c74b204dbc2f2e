//! Every odd kind of message that DATA can carry goes through two relays as it was sent.

use super::pair::Pair;

#[test]
fn messages_of_every_kind_arrive_as_they_were_sent() {
    let pair = Pair::start();
    let mut client = pair.client();
    for (kind, message) in kinds() {
        let reply = client.deliver("ann@sender.example", &["user@desk.example"], &message);
        assert_eq!(reply.unwrap().code, 250, "{kind}");
        pair.brings(kind, &message);
    }
    drop(client);
    pair.end();
}

/// Without header section, and without the empty line that would end it, a trace field alone would
/// make a header of the body: the empty line is all that is added.
#[test]
fn a_body_alone_stays_a_body() {
    let pair = Pair::start();
    let mut client = pair.client();
    for body in ["Hello there!\r\n", ".\r\n"] {
        let reply = client.deliver(
            "ann@sender.example",
            &["user@desk.example"],
            body.as_bytes(),
        );
        assert_eq!(reply.unwrap().code, 250, "{body}");
        pair.brings(body, format!("\r\n{body}").as_bytes());
    }
    drop(client);
    pair.end();
}

fn kinds() -> Vec<(&'static str, Vec<u8>)> {
    let head = b"From: <ann@sender.example>\r\nSubject: odd\r\n";
    let with = |body: &[u8]| [head, &b"\r\n"[..], body].concat();
    let line = |octets: &[u8]| [octets, b"\r\n"].concat();
    vec![
        (
            "eight bits",
            with(&line(&(0x80..=0xff).collect::<Vec<u8>>())),
        ),
        ("UTF-8", with("grüße, Ελλάδα, 日本\r\n".as_bytes())),
        (
            "UTF-8 in a header",
            "Subject: gr\u{fc}\u{df}e\r\n\r\n.\r\n".into(),
        ),
        // RFC 5321 section 4.5.3.1.6: 1000 octets with CRLF, and a stuffed dot does not count.
        ("longest line", with(&line(&[b'x'; 998]))),
        ("longest line with a dot", with(&line(&[b'.'; 998]))),
        ("longest line of eight bits", with(&line(&[0xe4; 998]))),
        (
            "longest header line",
            [b"X: ".as_slice(), &[b'x'; 995], b"\r\n\r\n"].concat(),
        ),
        ("leading dots", with(b".a\r\n..b\r\n...c\r\n")),
        ("lone dots", with(b".\r\n..\r\n.\r\n")),
        ("empty body", with(b"")),
        ("empty lines", with(b"\r\n\r\n\r\n")),
        ("no body, no empty line", head.to_vec()),
        ("no header section", b"\r\nHello!\r\n".to_vec()),
        (
            "control characters",
            with(b"\x01\x07\x08\t\x0b\x0c\x1b\x7f\r\n"),
        ),
        ("blanks at the end", with(b"a \r\nb\t\r\n \r\n\t\r\n")),
        (
            "folded and empty fields",
            b"X:\r\nY: a\r\n \t\r\n\tb  \r\n\r\n".to_vec(),
        ),
        (
            "fields of no known form",
            b"x y z: 1\r\nTo : b\r\n: c\r\n\r\n\r\n".to_vec(),
        ),
        (
            "a trace field of its own",
            [&b"Received: from x; ?\r\n"[..], head, b"\r\n"].concat(),
        ),
        (
            "what ends an mbox entry",
            with(b"From ann\r\n>From ann\r\n"),
        ),
        ("quoted end of data", with(b"=0D=0A.=0D=0A\r\n")),
        ("empty", Vec::new()),
    ]
}
