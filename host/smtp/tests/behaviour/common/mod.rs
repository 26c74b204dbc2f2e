//! Owner of a server session in memory: it feeds bytes, answers questions and keeps the results.
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::Message;
use gatepost_sasl::Verifier;
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::RecipientRequest;
use gatepost_smtp::server::{
    Abort, Answer, Ask, AuthOffer, Event, Limits, Mail, Secured, Session, Settings, StartTls,
};

/// A message that was received whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub mail: Mail,
    pub recipients: Vec<String>,
    pub requests: Vec<RecipientRequest>,
    pub bytes: Vec<u8>,
    pub eight_bit: bool,
    /// Message before repairs, if it was repaired.
    pub original: Option<Vec<u8>>,
    /// Reasons of the repairs.
    pub repaired: Vec<String>,
}

/// Server that accepts mail for desk.example only, and has one user, `user` with password `secret`.
pub struct Server {
    pub session: Session,
    pub messages: Vec<Received>,
    pub aborted: usize,
    /// Reason of the last aborted transaction.
    pub abort: Option<Abort>,
    pub closed: bool,
    pub handshakes: usize,
    pub sends: usize,
    /// Answers given instead of the usual ones, in order.
    pub answers: Vec<Answer>,
    output: Vec<u8>,
    mail: Option<Mail>,
    recipients: Vec<String>,
    requests: Vec<RecipientRequest>,
    pub bytes: Vec<u8>,
}

/// Returns [`settings`] that are strict about RFC 5321.
pub fn strict() -> Settings {
    let limits = Limits {
        line: 998,
        repair_line_ends: false,
        repair_opening: false,
        strict_addresses: true,
        ..Limits::default()
    };
    Settings {
        limits,
        ..settings()
    }
}

pub fn settings() -> Settings {
    Settings {
        hostname: "mx.desk.example".into(),
        limits: Limits::default(),
        start_tls: StartTls::Offered,
        auth: AuthOffer::UnderTls,
    }
}

/// Returns TLS without channel binding.
pub fn secured() -> Secured {
    Secured {
        by: "TLSv1.3".to_owned(),
        binding: None,
    }
}

/// Returns the verifier of the only user.
fn verifier() -> Verifier {
    Verifier::new("secret", [1; 16], Verifier::ITERATIONS)
}

impl Server {
    pub fn new(settings: Settings, tls: bool) -> Self {
        let tls = tls.then(secured);
        Self {
            session: Session::new(Arc::new(settings), tls),
            messages: Vec::new(),
            aborted: 0,
            abort: None,
            closed: false,
            handshakes: 0,
            sends: 0,
            answers: Vec::new(),
            output: Vec::new(),
            mail: None,
            recipients: Vec::new(),
            requests: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Creates a session after EHLO, in plaintext.
    pub fn greeted() -> Self {
        Self::with(settings(), false)
    }

    /// Creates a session after EHLO, under TLS.
    pub fn secured() -> Self {
        Self::with(settings(), true)
    }

    pub fn with(settings: Settings, tls: bool) -> Self {
        let mut server = Self::new(settings, tls);
        server.say(b"EHLO client.example\r\n");
        server
    }

    /// Creates a session in a transaction that has one recipient and waits for DATA.
    pub fn in_transaction(settings: Settings) -> Self {
        let mut server = Self::with(settings, false);
        server.say(b"MAIL FROM:<a@sender.example>\r\nRCPT TO:<user@desk.example>\r\n");
        server
    }

    /// Sends a message in the transaction in hand; returns the reply to its end.
    pub fn data(&mut self, message: &[u8]) -> String {
        assert!(self.say(b"DATA\r\n").starts_with("354 "));
        self.say(message)
    }

    /// Feeds bytes and returns the replies.
    pub fn say(&mut self, bytes: &[u8]) -> String {
        self.run();
        self.session.feed(bytes);
        self.run();
        String::from_utf8(std::mem::take(&mut self.output)).unwrap()
    }

    /// Returns output of the server without input.
    pub fn hear(&mut self) -> String {
        self.say(b"")
    }

    /// Returns the codes of the replies in a text, one for each reply.
    pub fn codes(text: &str) -> Vec<&str> {
        let last = |line: &&str| line.as_bytes()[3] == b' ';
        text.lines().filter(last).map(|line| &line[..3]).collect()
    }

    pub fn run(&mut self) {
        loop {
            match self.session.next_event() {
                Event::NeedInput => return,
                Event::Close => {
                    self.closed = true;
                    return;
                }
                Event::Send(bytes) => {
                    self.sends += 1;
                    self.output.extend_from_slice(&bytes);
                }
                Event::StartTls => {
                    self.handshakes += 1;
                    self.session.tls_started(secured());
                }
                Event::DataStarted => {
                    assert!(!self.recipients.is_empty(), "354 without a recipient");
                    self.bytes.clear();
                }
                Event::Data(bytes) => {
                    assert!(!bytes.is_empty());
                    self.bytes.extend_from_slice(&bytes);
                }
                Event::Aborted(why) => {
                    assert!(self.mail.take().is_some(), "aborted without a transaction");
                    self.recipients.clear();
                    self.requests.clear();
                    self.aborted += 1;
                    self.abort = Some(why);
                }
                Event::Ask(ask) => {
                    let answer = self.answer(&ask);
                    self.keep(ask, &answer);
                    self.session.answer(answer);
                }
            }
        }
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        if !self.answers.is_empty() && !matches!(ask, Ask::Connect) {
            return self.answers.remove(0);
        }
        match ask {
            Ask::Verifier(_) => Answer::Verifier(verifier()),
            Ask::Authenticate(claim) if claim.user() != "user" || !claim.holds(&verifier()) => {
                Answer::Reply(Reply::new(535, "5.7.8", "Wrong user or password"))
            }
            Ask::Recipient(recipient)
                if !matches!(
                    recipient.address.domain(),
                    "desk.example" | "mx.desk.example"
                ) =>
            {
                Answer::Reply(Reply::new(550, "5.7.1", "Not relayed"))
            }
            Ask::Message { .. } => Answer::Reply(Reply::new(250, "2.0.0", "Kept as 42")),
            _ => Answer::Proceed,
        }
    }

    fn keep(&mut self, ask: Ask, answer: &Answer) {
        let yes = match answer {
            Answer::Proceed | Answer::Verifier(_) => true,
            Answer::Reply(reply) => reply.is_positive(),
            Answer::Close(_) => false,
        };
        match ask {
            Ask::Mail(mail) if yes => self.mail = Some(mail),
            Ask::Recipient(to) if yes => {
                self.recipients.push(to.address.to_string());
                self.requests.push(to.dsn);
            }
            Ask::Message {
                size,
                eight_bit,
                repairs,
            } => {
                assert_eq!(size, self.bytes.len() as u64);
                let message = Message::from_bytes(Bytes::from(self.bytes.clone()));
                let original = repairs
                    .as_ref()
                    .and_then(|repairs| repairs.original(&message));
                let received = Received {
                    original: original.map(|original| original.to_bytes().unwrap().to_vec()),
                    repaired: repairs.map_or_else(Vec::new, |repairs| repairs.reasons()),
                    mail: self.mail.take().expect("MAIL came first"),
                    recipients: std::mem::take(&mut self.recipients),
                    requests: std::mem::take(&mut self.requests),
                    bytes: std::mem::take(&mut self.bytes),
                    eight_bit,
                };
                if yes {
                    self.messages.push(received);
                }
            }
            _ => {}
        }
    }
}

/// Reads a file of the conformance data; prints a line and returns `None` where it is absent.
pub fn conformance(file: &str) -> Option<serde_json::Value> {
    let root = std::env::var_os("GATEPOST_CONFORMANCE")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance")
        });
    let path = root.join(file);
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) => {
            eprintln!("SKIPPED: conformance data {} is absent", path.display());
            None
        }
    }
}
