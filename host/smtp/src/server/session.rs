//! The state machine of the server's side.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use bytes::BytesMut;

use super::auth::{self, Exchange, Step};
use super::command::{self, Verb};
use super::data::{Decoder, Fault};
use super::line::{Line, LineCutter};
use super::{Answer, Ask, AuthOffer, Event, Settings, StartTls, path};
use crate::reply::Reply;

/// Replies are sent once there are this many octets of them, even if more commands wait.
const ENOUGH_REPLIES: usize = 16 * 1024;

/// The server's side of one connection.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    state: State,
    input: BytesMut,
    lines: LineCutter,
    output: BytesMut,
    /// What the owner is to be told before anything else.
    events: VecDeque<Event>,
    tls: Option<String>,
    helo: Option<Helo>,
    user: Option<String>,
    transaction: Option<Transaction>,
    /// The last command was MAIL and refused, but for RCPT and DATA behind it.
    sender_refused: bool,
    /// 5xx replies so far.
    errors: u32,
    /// Commands since something was got done.
    idle_commands: u32,
    /// The client was refused in the banner.
    refused: bool,
    /// The relay is stopping.
    stopping: bool,
}

#[derive(Debug)]
struct Helo {
    name: String,
    /// It was EHLO.
    extended: bool,
}

/// From a yes to MAIL on.
#[derive(Debug, Default)]
struct Transaction {
    recipients: usize,
}

#[derive(Debug)]
enum State {
    /// The owner has been asked this and has not answered.
    Asked(Ask),
    /// A command is due.
    Command,
    /// A line of an AUTH exchange is due.
    Auth(Exchange),
    /// A message comes in.
    Data(Decoder),
    /// STARTTLS was granted.
    Handshake,
    /// It is over.
    Closed,
}

impl Session {
    /// A session on a new connection; `tls` describes the protocol and cipher where TLS came
    /// first (implicit TLS, RFC 8314).
    pub fn new(settings: Arc<Settings>, tls: Option<String>) -> Self {
        Self {
            settings,
            state: State::Asked(Ask::Connect),
            input: BytesMut::new(),
            lines: LineCutter::default(),
            output: BytesMut::new(),
            events: VecDeque::new(),
            tls,
            helo: None,
            user: None,
            transaction: None,
            sender_refused: false,
            errors: 0,
            idle_commands: 0,
            refused: false,
            stopping: false,
        }
    }

    /// Hands in bytes that the client sent. Call it after [`Event::NeedInput`] only: what is fed
    /// at other times is kept, without a bound.
    pub fn feed(&mut self, bytes: &[u8]) {
        // What comes in plaintext after STARTTLS was sent by somebody who could not know that
        // it would be granted: never to be executed (RFC 3207 section 6, CVE-2011-0411).
        if !matches!(self.state, State::Handshake | State::Closed) {
            self.input.extend_from_slice(bytes);
        }
    }

    /// What is to be done next. Said again until it is done, where it asks for something to be
    /// called.
    pub fn next_event(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let proceeds = match &mut self.state {
                State::Asked(ask) => return Event::Ask(ask.clone()),
                State::Handshake if self.output.is_empty() => return Event::StartTls,
                State::Closed if self.output.is_empty() => return Event::Close,
                State::Handshake | State::Closed => false,
                State::Command | State::Auth(_) => self.proceed_with_line(),
                State::Data(_) => self.proceed_with_data(),
            };
            if !self.output.is_empty() && (!proceeds || self.output.len() >= ENOUGH_REPLIES) {
                return Event::Send(self.output.split().freeze());
            }
            if !proceeds {
                return Event::NeedInput;
            }
        }
    }

    /// Answers the last [`Event::Ask`]; without one it does nothing.
    pub fn answer(&mut self, answer: Answer) {
        let ask = match mem::replace(&mut self.state, State::Command) {
            State::Asked(ask) => ask,
            other => {
                self.state = other;
                return;
            }
        };
        let reply = match answer {
            Answer::Close(reply) => {
                self.say(&reply);
                return self.close();
            }
            Answer::Reply(reply) => Some(reply),
            Answer::Proceed => None,
        };
        let yes = reply.as_ref().is_none_or(Reply::is_positive);
        match &ask {
            Ask::Connect => return self.greet(reply.filter(|_| !yes)),
            Ask::Authenticate(credentials) if yes => {
                self.user = Some(credentials.user.clone());
                self.idle_commands = 0;
            }
            Ask::Mail(_) if yes => {
                self.transaction = Some(Transaction::default());
                self.sender_refused = false;
            }
            Ask::Recipient(_) if yes => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.recipients += 1;
                }
            }
            Ask::Message { .. } => self.idle_commands = 0,
            Ask::Authenticate(_) | Ask::Mail(_) | Ask::Recipient(_) => {}
        }
        let reply = reply.unwrap_or_else(|| match ask {
            Ask::Authenticate(_) => Reply::new(235, "2.7.0", "Authenticated"),
            Ask::Mail(_) => Reply::new(250, "2.1.0", "Sender OK"),
            Ask::Recipient(_) => Reply::new(250, "2.1.5", "Recipient OK"),
            Ask::Connect | Ask::Message { .. } => Reply::new(250, "2.0.0", "Message accepted"),
        });
        self.say(&reply);
    }

    /// The handshake that [`Event::StartTls`] asked for is done; `description` names protocol
    /// and cipher. The session begins afresh (RFC 3207 section 4.2).
    pub fn tls_started(&mut self, description: String) {
        if matches!(self.state, State::Handshake) {
            self.state = State::Command;
            self.tls = Some(description);
            self.helo = None;
            self.idle_commands = 0;
        }
    }

    /// The client was silent for too long, or the session has lasted too long: 421 4.4.2 and
    /// close.
    pub fn time_out(&mut self) {
        self.say(&Reply::new(421, "4.4.2", "Time is up, closing"));
    }

    /// The relay is stopping: 421 4.3.2 as soon as no transaction is in hand.
    pub fn shut_down(&mut self) {
        self.stopping = true;
    }

    /// Whether a transaction has begun and not ended.
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some() || matches!(self.state, State::Asked(Ask::Message { .. }))
    }

    /// The argument of EHLO or HELO: printable ASCII without spaces, at most 255 octets.
    pub fn helo(&self) -> Option<&str> {
        self.helo.as_ref().map(|helo| helo.name.as_str())
    }

    /// Protocol and cipher; `None` in plaintext.
    pub fn tls(&self) -> Option<&str> {
        self.tls.as_deref()
    }

    /// The user that AUTH has proved.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// How mail comes in, for the `with` clause of Received: `SMTP`, `ESMTP`, `ESMTPS` or
    /// `ESMTPSA` (RFC 3848).
    pub fn protocol(&self) -> &'static str {
        match (&self.helo, &self.tls, &self.user) {
            (Some(Helo { extended: true, .. }), Some(_), Some(_)) => "ESMTPSA",
            (Some(Helo { extended: true, .. }), Some(_), None) => "ESMTPS",
            (Some(Helo { extended: true, .. }), None, _) => "ESMTP",
            _ => "SMTP",
        }
    }

    /// Takes a line, if there is one and the session goes on.
    fn proceed_with_line(&mut self) -> bool {
        if self.stopping && self.transaction.is_none() {
            self.say(&Reply::new(
                421,
                "4.3.2",
                "Service is shutting down, try again later",
            ));
            return true;
        }
        let limits = &self.settings.limits;
        let is_auth = matches!(self.state, State::Auth(_))
            || self
                .input
                .get(..5)
                .is_some_and(|word| word.eq_ignore_ascii_case(b"AUTH "));
        let limit = if is_auth {
            limits.auth_line
        } else {
            limits.command_line
        };
        let Some(line) = self.lines.cut(&mut self.input, limit) else {
            return false;
        };
        match mem::replace(&mut self.state, State::Command) {
            State::Auth(exchange) => self.auth_line(exchange, line),
            _ => self.command_line(line),
        }
        true
    }

    fn auth_line(&mut self, exchange: Exchange, line: Line) {
        match line {
            Line::Whole(line) => self.auth_step(exchange.respond(&line)),
            // RFC 4954 section 4: the exchange fails, the session stays.
            Line::TooLong => self.say(&Reply::new(500, "5.5.6", "Authentication line is too long")),
            Line::Stray => self.say(&stray_octet()),
        }
    }

    fn auth_step(&mut self, step: Step) {
        match step {
            Step::Challenge(text, exchange) => {
                self.say(&Reply::plain(334, text));
                self.state = State::Auth(exchange);
            }
            Step::Offered(credentials) => self.state = State::Asked(Ask::Authenticate(credentials)),
            Step::Refused(reply) => self.say(&reply),
        }
    }

    fn command_line(&mut self, line: Line) {
        let (verb, arguments) = match &line {
            Line::Whole(line) => Verb::split(line),
            Line::TooLong | Line::Stray => (Verb::Unknown, &b""[..]),
        };
        if let Some(reply) = self.out_of_patience(verb) {
            return self.say(&reply);
        }
        // Recipients bring a message nearer, and have a limit of their own.
        if verb != Verb::Recipient {
            self.idle_commands += 1;
        }
        match verb {
            // Until it is accepted.
            Verb::Mail => self.sender_refused = true,
            Verb::Recipient | Verb::Data => {}
            _ => self.sender_refused = false,
        }
        match line {
            Line::TooLong => self.say(&Reply::new(500, "5.5.2", "Command line is too long")),
            Line::Stray => self.say(&stray_octet()),
            Line::Whole(_) => match self.out_of_sequence(verb) {
                // What came pipelined behind a refused MAIL is no error of its own (RFC 2920
                // section 3.1).
                Some(reply) if self.sender_refused && verb != Verb::Mail => self.write(&reply),
                Some(reply) => self.say(&reply),
                None if verb.stands_alone() && !arguments.is_empty() => {
                    self.say(&Reply::new(501, "5.5.4", "This command takes no argument"));
                }
                None => self.command(verb, arguments),
            },
        }
    }

    /// Why no command but QUIT is heard any more, if so.
    fn out_of_patience(&self, verb: Verb) -> Option<Reply> {
        let limits = &self.settings.limits;
        match verb {
            Verb::Quit => None,
            _ if self.errors >= limits.errors => {
                Some(Reply::new(421, "4.7.0", "Too many errors, closing"))
            }
            _ if self.idle_commands >= limits.idle_commands => Some(Reply::new(
                421,
                "4.7.0",
                "Too many commands without a message, closing",
            )),
            _ => None,
        }
    }

    /// Why a command cannot come now, if so (RFC 5321 section 4.1.4).
    fn out_of_sequence(&self, verb: Verb) -> Option<Reply> {
        let settings = &self.settings;
        let sequence = |text: &str| Some(Reply::new(503, "5.5.1", text));
        let exempt = matches!(verb, Verb::Noop | Verb::Ehlo | Verb::StartTls | Verb::Quit);
        if self.refused && verb != Verb::Quit {
            return sequence("No service for you here: only QUIT is heard");
        }
        // RFC 3207 section 4.
        if settings.start_tls == StartTls::Required && self.tls.is_none() && !exempt {
            return Some(Reply::new(530, "5.7.0", "Say STARTTLS first"));
        }
        match verb {
            Verb::Mail if self.helo.is_none() => sequence("Say EHLO first"),
            Verb::Mail if settings.auth == AuthOffer::Required && self.user.is_none() => {
                Some(Reply::new(530, "5.7.0", "Authenticate first"))
            }
            Verb::Mail if self.transaction.is_some() => {
                sequence("Sender is already given; RSET begins anew")
            }
            Verb::Recipient | Verb::Data if self.transaction.is_none() => {
                sequence("Say MAIL first")
            }
            Verb::StartTls if self.tls.is_some() => sequence("TLS is already active"),
            Verb::StartTls if settings.start_tls == StartTls::None => {
                Some(Reply::new(502, "5.5.1", "STARTTLS is not offered here"))
            }
            Verb::Auth if settings.auth == AuthOffer::None => {
                Some(Reply::new(502, "5.5.1", "AUTH is not offered here"))
            }
            // RFC 4954 section 4.
            Verb::Auth if self.tls.is_none() => Some(Reply::new(
                538,
                "5.7.11",
                "Passwords are taken under TLS only",
            )),
            Verb::Auth if self.helo.is_none() => sequence("Say EHLO first"),
            Verb::Auth if self.user.is_some() => sequence("Already authenticated"),
            Verb::Auth if self.transaction.is_some() => {
                sequence("Not in a transaction; RSET ends it")
            }
            _ => None,
        }
    }

    fn command(&mut self, verb: Verb, arguments: &[u8]) {
        let settings = Arc::clone(&self.settings);
        let reply = match verb {
            Verb::Ehlo | Verb::Helo => match command::helo_name(arguments) {
                Ok(name) => return self.hello(name, verb == Verb::Ehlo),
                Err(reply) => reply,
            },
            Verb::Mail => {
                match path::mail(arguments, settings.limits.message_size, self.offers_auth()) {
                    Ok(mail) => return self.state = State::Asked(Ask::Mail(mail)),
                    Err(reply) => reply,
                }
            }
            Verb::Recipient => match path::recipient(arguments, &settings.hostname) {
                Ok(_) if self.recipients() >= settings.limits.recipients => Reply::new(
                    452,
                    "4.5.3",
                    format!(
                        "Too many recipients: at most {}",
                        settings.limits.recipients
                    ),
                ),
                Ok(address) => return self.state = State::Asked(Ask::Recipient(address)),
                Err(reply) => reply,
            },
            Verb::Data if self.recipients() == 0 => {
                Reply::new(503, "5.5.1", "No recipient was accepted")
            }
            Verb::Data => {
                self.events.push_back(Event::DataStarted);
                self.state = State::Data(Decoder::new());
                Reply::plain(354, "Send the message; end it with <CRLF>.<CRLF>")
            }
            Verb::Reset => {
                self.give_up();
                Reply::new(250, "2.0.0", "Reset")
            }
            Verb::Noop => Reply::new(250, "2.0.0", "OK"),
            Verb::Quit => {
                self.say(&Reply::new(221, "2.0.0", "Goodbye"));
                return self.close();
            }
            Verb::Verify if arguments.is_empty() => {
                Reply::new(501, "5.5.4", "VRFY needs a name or an address")
            }
            // RFC 5321 section 3.5.3: neither confirmed nor denied.
            Verb::Verify => Reply::new(252, "2.5.0", "Cannot verify; send a message to find out"),
            Verb::Expand => Reply::new(502, "5.5.1", "EXPN is not offered here"),
            Verb::Help => Reply::new(
                214,
                "2.0.0",
                "RFC 5321 explains the commands; EHLO lists what is offered",
            ),
            Verb::StartTls => {
                self.say(&Reply::new(220, "2.0.0", "Start TLS"));
                self.give_up();
                self.input.clear();
                self.state = State::Handshake;
                return;
            }
            Verb::Auth => return self.auth_step(auth::begin(arguments)),
            Verb::Http => {
                self.say(&Reply::new(500, "5.5.1", "This is SMTP, not HTTP"));
                return self.close();
            }
            Verb::Unknown => Reply::new(500, "5.5.1", "Command is not recognized"),
        };
        self.say(&reply);
    }

    /// The banner, or why there is none (RFC 5321 sections 3.1 and 4.3.2: 220, 554 or 421).
    fn greet(&mut self, refusal: Option<Reply>) {
        let Some(refusal) = refusal else {
            let banner = format!("{} ESMTP Gatepost", self.settings.hostname);
            return self.say(&Reply::plain(220, &banner));
        };
        self.refused = true;
        let banner = refusal.with_code(if refusal.is_permanent() { 554 } else { 421 });
        self.say(&banner);
    }

    /// EHLO or HELO: answers, and begins afresh (RFC 5321 section 4.1.4).
    fn hello(&mut self, name: String, extended: bool) {
        self.give_up();
        let settings = &self.settings;
        let mut text = settings.hostname.clone();
        if extended {
            text = format!("{text} greets {name}\nPIPELINING\n8BITMIME\nENHANCEDSTATUSCODES");
            text = format!("{text}\nSIZE {}", settings.limits.message_size);
            if self.tls.is_none() && settings.start_tls != StartTls::None {
                text.push_str("\nSTARTTLS");
            }
            if self.offers_auth() {
                text.push_str("\nAUTH PLAIN LOGIN");
            }
        }
        self.helo = Some(Helo { name, extended });
        self.say(&Reply::plain(250, &text));
    }

    fn offers_auth(&self) -> bool {
        self.settings.auth != AuthOffer::None && self.tls.is_some()
    }

    fn recipients(&self) -> usize {
        self.transaction
            .as_ref()
            .map_or(0, |transaction| transaction.recipients)
    }

    /// Takes message bytes, if there are any that mean something.
    fn proceed_with_data(&mut self) -> bool {
        let State::Data(decoder) = &mut self.state else {
            return false;
        };
        let waiting = self.input.len();
        let (piece, ended) = decoder.decode(&mut self.input, &self.settings.limits);
        let (fault, size, eight_bit) = (decoder.fault, decoder.size, decoder.eight_bit);
        if !piece.is_empty() {
            self.events.push_back(Event::Data(piece));
        }
        if fault.is_some() {
            self.give_up();
        }
        if ended {
            match fault {
                None => {
                    self.transaction = None;
                    self.state = State::Asked(Ask::Message { size, eight_bit });
                }
                Some(fault) => {
                    self.state = State::Command;
                    let reply = fault.reply(&self.settings.limits);
                    self.say(&reply);
                    if fault == Fault::StrayOctet {
                        self.close();
                    }
                }
            }
        }
        self.input.len() < waiting
    }

    /// Says a reply, and counts it if it is an error.
    fn say(&mut self, reply: &Reply) {
        self.errors += u32::from(reply.is_permanent());
        self.write(reply);
    }

    /// A 421 is the last reply (RFC 5321 section 3.8).
    fn write(&mut self, reply: &Reply) {
        if matches!(self.state, State::Closed) {
            return;
        }
        reply.write_to(&mut self.output);
        if reply.code() == 421 {
            self.close();
        }
    }

    fn close(&mut self) {
        self.give_up();
        self.input.clear();
        self.state = State::Closed;
    }

    /// Ends the transaction in hand, if there is one, without a message.
    fn give_up(&mut self) {
        if self.transaction.take().is_some() {
            self.events.push_back(Event::Aborted);
        }
    }
}

fn stray_octet() -> Reply {
    Reply::new(
        500,
        "5.5.2",
        "Line holds a bare CR, a bare LF or a NUL: end each line with CRLF",
    )
}
