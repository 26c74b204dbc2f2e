//! SMTP sessions: what a server makes of octets does not depend on the segments in which they come.

use std::sync::Arc;

use gatepost_sasl::Verifier;
use gatepost_smtp::Reply;
use gatepost_smtp::server::{
    Answer, Ask, AuthOffer, Event, Limits, Secured, Session, Settings, StartTls,
};

use crate::Target;

/// Octets of a message in these sessions.
const MESSAGE: u64 = 4_000;

/// Sessions with DATA and AUTH, under TLS from the start: behind STARTTLS a server drops what came
/// in the same segment (RFC 3207 section 4.2), so that segments count there.
pub const DATA: Target = Target {
    name: "session",
    rule: "a session says and takes the same however its octets are cut, and each line it says ends",
    seeds: || {
        [
            "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@desk.example>\r\nDATA\r\nSubject: s\r\n\r\n..text\r\n.\r\nQUIT\r\n",
            "EHLO c.example\r\nAUTH PLAIN AHVzZXIAc2VjcmV0\r\nMAIL FROM:<> SIZE=9 BODY=8BITMIME\r\nRCPT TO:<u@desk.example> NOTIFY=NEVER ORCPT=rfc822;u\r\nDATA\r\n\r\n.\r\n",
            "EHLO c.example\r\nSTARTTLS\r\nEHLO c.example\r\nAUTH LOGIN\r\ndXNlcg==\r\nc2VjcmV0\r\nRSET\r\nNOOP\r\nVRFY u\r\nHELP\r\n",
            "HELO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@desk.example>\r\nDATA\r\na\nb\rc\0d\r\n.\r\n",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"\r\n",
        b"\r",
        b"\n",
        b".",
        b"\r\n.\r\n",
        b"\n.\n",
        b"\r\n.\n",
        b"\0",
        b" ",
        b"<",
        b">",
        b"@",
        b"\"",
        b"\\",
        b"MAIL FROM:<",
        b"RCPT TO:<",
        b"DATA\r\n",
        b"RSET\r\n",
        b"STARTTLS\r\n",
        b"AUTH ",
        b" SIZE=",
        b" SMTPUTF8",
        b"\xc3\xa9",
        b"BDAT 3 LAST\r\n",
        b"XCLIENT ADDR=",
        b"XFORWARD NAME=",
        b"=",
        b"+2B",
    ],
    suite: 4_000,
    check,
};

/// Sessions with BDAT (RFC 3030).
pub const CHUNKS: Target = Target {
    name: "bdat",
    rule: "the octets of chunks are those of the message, however they are cut",
    seeds: || {
        [
            "EHLO c.example\r\nMAIL FROM:<a@b.example> BODY=BINARYMIME\r\nRCPT TO:<u@desk.example>\r\nBDAT 12\r\nSubject: s\r\nBDAT 5 LAST\r\n\r\nab\rQUIT\r\n",
            "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@desk.example>\r\nBDAT 0\r\nBDAT 3\r\nabcBDAT 0 LAST\r\n",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
    },
    words: &[
        b"BDAT ",
        b"BDAT 1\r\n",
        b"BDAT 0 LAST\r\n",
        b"BDAT 5000\r\n",
        b"BDAT 99999999999999999999\r\n",
        b" LAST",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"RSET\r\n",
        b"DATA\r\n",
        b"MAIL FROM:<>\r\n",
        b"RCPT TO:<u@desk.example>\r\n",
        b"x",
    ],
    suite: 4_000,
    check,
};

/// Account of one session.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    sent: Vec<u8>,
    messages: Vec<Vec<u8>>,
    aborted: usize,
    closed: bool,
}

fn check(input: &[u8]) {
    let whole = play([input].into_iter());
    let cut = input.len() % 7 + 1;
    let pieces = play(input.chunks(cut));
    let text = |seen: &Seen| seen.sent.escape_ascii().to_string();
    assert_eq!(text(&whole), text(&pieces), "in pieces of {cut}");
    assert_eq!(whole.messages, pieces.messages, "in pieces of {cut}");
    assert_eq!(
        (whole.aborted, whole.closed),
        (pieces.aborted, pieces.closed)
    );
    assert!(whole.sent.is_empty() || whole.sent.ends_with(b"\r\n"));
    for line in whole.sent.split(|&octet| octet == b'\n') {
        // RFC 5321 section 4.5.3.1.5.
        assert!(line.len() < 512, "a line of {} octets", line.len());
    }
    for message in &whole.messages {
        assert!(message.len() as u64 <= MESSAGE);
        assert!(!message.contains(&0), "a NUL is left");
    }
}

fn play<'a>(segments: impl Iterator<Item = &'a [u8]>) -> Seen {
    let settings = Settings {
        hostname: "mx.desk.example".into(),
        limits: Limits {
            recipients: 3,
            message_size: MESSAGE,
            header_size: 2_000,
            errors: 50,
            ..Limits::default()
        },
        start_tls: StartTls::None,
        auth: AuthOffer::UnderTls,
    };
    let secured = Secured {
        by: "TLSv1.3".to_owned(),
        binding: None,
    };
    let mut session = Session::new(Arc::new(settings), Some(secured));
    let mut seen = Seen::default();
    let mut body = Vec::new();
    let segments = std::iter::once(&b""[..]).chain(segments);
    for segment in segments {
        session.feed(segment);
        loop {
            match session.next_event() {
                Event::NeedInput => break,
                Event::Close => {
                    seen.closed = true;
                    return seen;
                }
                Event::Send(octets) => seen.sent.extend_from_slice(&octets),
                Event::StartTls => panic!("STARTTLS is not offered"),
                Event::DataStarted => body.clear(),
                Event::Data(octets) => body.extend_from_slice(&octets),
                Event::Aborted(_) => seen.aborted += 1,
                Event::Ask(ask) => {
                    let answer = match &ask {
                        Ask::Verifier(_) => Answer::Verifier(Verifier::new("secret", [1; 16], 1)),
                        Ask::Message { size, .. } => {
                            assert_eq!(*size, body.len() as u64);
                            seen.messages.push(std::mem::take(&mut body));
                            Answer::Reply(Reply::new(250, "2.0.0", "Kept"))
                        }
                        _ => Answer::Proceed,
                    };
                    session.answer(answer);
                }
            }
        }
    }
    seen
}
