//! Replies and repairs of the session itself, before or instead of the policies. A stored message
//! goes through the same state machine as clients' ([`gatepost_smtp::server`]), so that its rules
//! and limits are the same.

use std::sync::Arc;

use gatepost_message::{Message, Repairs};
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Answer, Ask, AuthOffer, Event, Limits, Session, Settings, StartTls};

/// Commands up to DATA: the envelope is judged elsewhere.
const BEFORE_DATA: &[u8] =
    b"EHLO check.invalid\r\nMAIL FROM:<>\r\nRCPT TO:<check@check.invalid>\r\nDATA\r\n";

/// Returns the banner of a client that is refused with this reply: 554 or 421 (RFC 5321 section
/// 3.1).
pub(super) fn banner(refusal: &Reply) -> Option<Reply> {
    let mut session = session(Limits::default());
    session.answer(Answer::Reply(refusal.clone()));
    match session.next_event() {
        Event::Send(sent) => last_reply(&sent),
        _ => None,
    }
}

/// Feeds these octets to a session as a client's message; returns the message that reaches the
/// policies if it was repaired.
///
/// # Errors
/// The reply to the client, if no message reaches the policies.
pub(super) fn receive(
    message: &[u8],
    limits: Limits,
) -> Result<Option<(Message, Box<Repairs>)>, Reply> {
    let mut received = Vec::new();
    let mut session = session(Limits {
        // Our own commands are not to count, whatever is configured.
        recipients: 1,
        errors: u32::MAX,
        idle_commands: u32::MAX,
        ..limits
    });
    let mut lines = message.split_inclusive(|octet| *octet == b'\n');
    let mut before: &[u8] = b"\r\n";
    let mut ended = false;
    session.answer(Answer::Proceed);
    session.feed(BEFORE_DATA);
    loop {
        match session.next_event() {
            Event::NeedInput if ended => return Ok(None),
            Event::NeedInput => match lines.next() {
                Some(line) => {
                    // Dot-stuffing (RFC 5321 section 4.5.2).
                    if line.starts_with(b".") && before.ends_with(b"\r\n") {
                        session.feed(b".");
                    }
                    session.feed(line);
                    before = line;
                }
                None => {
                    if !before.ends_with(b"\r\n") {
                        session.feed(b"\r\n");
                    }
                    session.feed(b".\r\n");
                    ended = true;
                }
            },
            Event::Send(sent) => {
                if let Some(reply) = last_reply(&sent).filter(Reply::is_negative) {
                    return Err(reply);
                }
            }
            Event::Data(octets) => received.extend_from_slice(&octets),
            Event::Ask(Ask::Message { repairs, .. }) => {
                let message = || Message::from_bytes(received.into());
                return Ok(repairs.map(|repairs| (message(), repairs)));
            }
            Event::StartTls | Event::Close => return Ok(None),
            Event::Ask(_) => session.answer(Answer::Proceed),
            _ => {}
        }
    }
}

fn session(limits: Limits) -> Session {
    let settings = Settings {
        hostname: "check.invalid".to_owned(),
        limits,
        start_tls: StartTls::None,
        auth: AuthOffer::None,
    };
    Session::new(Arc::new(settings), None)
}

/// Returns the last of the replies that were sent together.
fn last_reply(sent: &[u8]) -> Option<Reply> {
    let sent = str::from_utf8(sent).ok()?;
    let ends = |line: &&str| line.get(3..4) == Some(" ");
    let lines: Vec<&str> = sent.lines().collect();
    let (last, before) = lines.split_last()?;
    let start = before.iter().rposition(ends).map_or(0, |end| end + 1);
    let code = last.get(..3)?.parse().ok()?;
    let text = |line: &&str| line.get(4..).unwrap_or_default().to_owned();
    let mut texts: Vec<String> = lines[start..].iter().map(text).collect();
    let enhanced = texts[0].split(' ').next()?.parse().ok();
    if let Some(enhanced) = &enhanced {
        let prefix = format!("{enhanced} ");
        for text in &mut texts {
            *text = text.strip_prefix(&prefix).unwrap_or(text).to_owned();
        }
    }
    Reply::checked(code, enhanced, &texts.join("\n")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Subject: s\r\n\r\n";

    fn limits() -> Limits {
        Limits {
            message_size: 2000,
            header_size: 100,
            line: 80,
            repair_line_ends: false,
            // The settings of a site that tolerates little.
            errors: 0,
            idle_commands: 1,
            ..Limits::default()
        }
    }

    fn code(message: &str) -> Option<u16> {
        let received = receive(message.as_bytes(), limits());
        received.err().map(|reply| reply.code())
    }

    #[test]
    fn a_dry_run_refuses_what_the_session_refuses() {
        for (message, expected) in [
            (format!("{HEAD}a\rb\r\n"), Some(550)),
            (format!("{HEAD}a\0b\r\n"), Some(550)),
            (format!("{HEAD}{}\r\n", "x".repeat(81)), Some(500)),
            (format!("{HEAD}{}", "1234567\r\n".repeat(300)), Some(552)),
            (format!("{}\r\n", "A: 12345\r\n".repeat(11)), Some(552)),
            (format!("{HEAD}{}\r\n", "x".repeat(80)), None),
            (format!("{HEAD}.\r\n..\r\nQUIT\r\n.no line end"), None),
            (String::new(), None),
        ] {
            assert_eq!(code(&message), expected, "{message:?}");
        }
        let reply = receive(b"a\rb\r\n", limits()).unwrap_err();
        assert!(reply.to_string().starts_with("550 5.6.0 Message holds"));
    }

    #[test]
    fn a_dry_run_repairs_what_the_session_repairs() {
        for (message, expected) in [
            (
                "Subject: s\r\n\r\na\rb\0\r\n",
                "Subject: s\r\n\r\na\r\nb\r\n",
            ),
            ("\u{feff}Subject: s\r\n\r\n", "Subject: s\r\n\r\n"),
            (">From a@b Sat Jan 3\r\nSubject: s\r\n", "Subject: s\r\n"),
        ] {
            let received = receive(message.as_bytes(), Limits::default()).unwrap();
            let (message, repairs) = received.unwrap();
            assert_eq!(message.to_bytes().unwrap(), expected);
            assert!(!repairs.reasons().is_empty());
        }
        assert!(
            receive(HEAD.as_bytes(), Limits::default())
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_refused_client_sees_one_of_the_two_codes_of_a_banner() {
        for (refusal, expected) in [
            (Reply::new(550, "5.7.1", "no\nnever"), "554 5.7.1"),
            (Reply::new(451, "4.7.1", "not now"), "421 4.7.1"),
        ] {
            let banner = banner(&refusal).unwrap();
            assert!(banner.to_string().starts_with(expected), "{banner}");
            assert_eq!(banner.lines(), refusal.lines());
        }
    }
}
