//! A client in memory, which says the commands of a message to a session of the relay
//! ([`gatepost_smtp::server`]): so the rules, the limits and the repairs of the protocol are those
//! that other clients meet.

use std::sync::Arc;

use crate::pipeline::local_error;
use bytes::BytesMut;
use gatepost_message::{Address, Message, Repairs, ReversePath};
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Answer, Ask, AuthOffer, Event, Limits, Session, Settings, StartTls};

/// Client of a session in memory.
pub(super) struct Client {
    session: Session,
    /// Octets of the message that passed the session.
    received: BytesMut,
}

/// Reaction of the session to what the client has sent.
#[derive(Debug)]
pub(super) enum Heard {
    /// A question for the relay to decide.
    Ask(Ask),
    /// A reply.
    Reply(Reply),
    /// Nothing yet: more octets are due.
    Silence,
}

/// A message that the session lets pass.
#[derive(Debug)]
pub(super) struct Received {
    /// The message as the session repaired it.
    pub(super) message: Message,
    /// Repairs made; `None` where the message passed as it was.
    pub(super) repairs: Option<Box<Repairs>>,
}

impl Client {
    /// Connects. These limits hold, except those on clients that waste the relay's time.
    pub(super) fn connect(limits: Limits) -> Self {
        let settings = Settings {
            hostname: "check.invalid".to_owned(),
            limits: Limits {
                errors: u32::MAX,
                idle_commands: u32::MAX,
                ..limits
            },
            start_tls: StartTls::None,
            auth: AuthOffer::None,
        };
        Self {
            session: Session::new(Arc::new(settings), None),
            received: BytesMut::new(),
        }
    }

    /// Hears the banner, given the relay's refusal of the client, if any; says EHLO if it is
    /// welcome.
    ///
    /// # Errors
    /// The banner that refuses the client: 554 or 421 (RFC 5321 section 3.1).
    pub(super) fn greet(&mut self, refusal: Option<Reply>) -> Result<(), Reply> {
        let Some(refusal) = refusal else {
            self.answer(None);
            self.say("EHLO check.invalid");
            return Ok(());
        };
        match self.answer(Some(refusal.clone())) {
            Heard::Reply(banner) => Err(banner),
            Heard::Ask(_) | Heard::Silence => Err(refusal),
        }
    }

    /// Says MAIL; with SMTPUTF8 if an address of the envelope needs it (RFC 6531 section 3.4).
    pub(super) fn mail(&mut self, reverse_path: &ReversePath, smtputf8: bool) -> Heard {
        let parameter = if smtputf8 { " SMTPUTF8" } else { "" };
        self.say(&format!(
            "MAIL FROM:{}{parameter}",
            in_brackets(reverse_path.address())
        ))
    }

    /// Says RCPT.
    pub(super) fn recipient(&mut self, address: &Address) -> Heard {
        self.say(&format!("RCPT TO:{}", in_brackets(Some(address))))
    }

    /// Answers the question of the session; a refusal is the reply to the client.
    pub(super) fn answer(&mut self, refusal: Option<Reply>) -> Heard {
        self.session
            .answer(refusal.map_or(Answer::Proceed, Answer::Reply));
        self.hear()
    }

    /// Sends the message by DATA. Returns it as it reaches the policies.
    ///
    /// # Errors
    /// The reply to the client, if no message reaches the policies.
    pub(super) fn data(&mut self, message: &[u8]) -> Result<Received, Reply> {
        if let Heard::Reply(reply) = self.say("DATA")
            && reply.is_negative()
        {
            return Err(reply);
        }
        let mut before: &[u8] = b"\r\n";
        for line in message.split_inclusive(|octet| *octet == b'\n') {
            // Dot-stuffing (RFC 5321 section 4.5.2).
            if line.starts_with(b".") && before.ends_with(b"\r\n") {
                self.session.feed(b".");
            }
            self.session.feed(line);
            before = line;
            if let Heard::Reply(reply) = self.hear() {
                return Err(reply);
            }
        }
        if !before.ends_with(b"\r\n") {
            self.session.feed(b"\r\n");
        }
        self.session.feed(b".\r\n");
        match self.hear() {
            Heard::Ask(Ask::Message { repairs, .. }) => Ok(Received {
                message: Message::from_bytes(self.received.split().freeze()),
                repairs,
            }),
            Heard::Reply(reply) => Err(reply),
            Heard::Ask(_) | Heard::Silence => Err(local_error()),
        }
    }

    fn say(&mut self, command: &str) -> Heard {
        self.session.feed(command.as_bytes());
        self.session.feed(b"\r\n");
        self.hear()
    }

    /// Returns the next question or the last reply.
    fn hear(&mut self) -> Heard {
        let mut heard = Heard::Silence;
        loop {
            match self.session.next_event() {
                Event::Ask(ask) => return Heard::Ask(ask),
                Event::Send(sent) => {
                    if let Some(reply) = Reply::last_of(&sent) {
                        heard = Heard::Reply(reply);
                    }
                }
                Event::Data(octets) => self.received.extend_from_slice(&octets),
                Event::NeedInput | Event::StartTls | Event::Close => return heard,
                Event::DataStarted | Event::Aborted(_) => {}
            }
        }
    }
}

/// Returns an address as a path (RFC 5321 section 4.1.2).
fn in_brackets(address: Option<&Address>) -> String {
    address.map_or_else(|| "<>".to_owned(), |address| format!("<{address}>"))
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

    /// Sends a message to a session that lets every client, sender and recipient pass.
    fn receive(message: &[u8], limits: Limits) -> Result<Received, Reply> {
        let mut client = Client::connect(limits);
        client.greet(None).unwrap();
        let recipient = Address::parse("check@check.invalid").unwrap();
        client.mail(&ReversePath::Null, false);
        client.answer(None);
        client.recipient(&recipient);
        client.answer(None);
        client.data(message)
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
            assert_eq!(received.message.to_bytes().unwrap(), expected);
            assert!(!received.repairs.unwrap().reasons().is_empty());
        }
        let as_it_was = receive(HEAD.as_bytes(), Limits::default()).unwrap();
        assert_eq!(as_it_was.message.to_bytes().unwrap(), HEAD);
        assert!(as_it_was.repairs.is_none());
    }

    #[test]
    fn a_refused_client_sees_one_of_the_two_codes_of_a_banner() {
        for (refusal, expected) in [
            (Reply::new(550, "5.7.1", "no\nnever"), "554 5.7.1"),
            (Reply::new(451, "4.7.1", "not now"), "421 4.7.1"),
        ] {
            let mut client = Client::connect(Limits::default());
            let banner = client.greet(Some(refusal.clone())).unwrap_err();
            assert!(banner.to_string().starts_with(expected), "{banner}");
            assert_eq!(banner.lines(), refusal.lines());
        }
    }
}
