//! The state machine of the server's side: what is due, what is asked, when it ends. What each
//! command does stands in [`commands`].

mod chunks;
mod commands;
mod proxied;

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use bytes::BytesMut;
use gatepost_sasl::{Binding, Exchange, Salting, SaslError, Step};

use super::auth;
use super::chunk::Chunk;
use super::data::{Decoder, Fault};
use super::line::{self, Line, LineCutter, LineLimits, Opening};
use super::proxied::{Attribute, Attributes, Trust};
use super::{Abort, Answer, Ask, Event, Secured, Settings, protocol};
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
    tls: Option<Secured>,
    helo: Option<Helo>,
    user: Option<String>,
    trust: Trust,
    /// What XCLIENT has said.
    proxied: Option<Box<Attributes>>,
    /// What XFORWARD has said of the transaction that is to begin.
    forwarded: Option<Box<Attributes>>,
    transaction: Option<Transaction>,
    /// The last command was MAIL or a chunk and refused, but for RCPT, DATA and chunks behind it.
    behind_refusal: bool,
    /// Recipients named since the last MAIL, the refused ones included.
    recipients_named: usize,
    /// 5xx replies so far.
    errors: u32,
    /// Commands since something was got done.
    idle_commands: u32,
    /// The client was refused in the banner.
    refused: bool,
    /// The relay is stopping.
    stopping: bool,
    /// What AUTH has proved holds no more.
    revoked: bool,
    /// The last message ended where another server may have seen no end.
    doubtful: bool,
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
    smtputf8: bool,
    /// What has come of a message in chunks.
    chunked: Option<Decoder>,
    /// What refusals are to name it by.
    label: Option<String>,
}

#[derive(Debug)]
enum State {
    /// The owner has been asked this and has not answered.
    Asked(Ask),
    /// A command is due.
    Command,
    /// A line of an AUTH exchange is due.
    Auth(Exchange),
    /// The owner has been asked for a verifier and has not answered.
    Salting(Salting),
    /// This user has been told our proof and is to acknowledge it.
    Proved(String),
    /// A message comes in.
    Data(Decoder),
    /// The octets of a chunk come in.
    Chunk(Chunk),
    /// STARTTLS was granted.
    Handshake,
    /// It is over.
    Closed,
}

impl Session {
    /// A session on a new connection; `tls` is there where TLS came first (implicit TLS, RFC 8314).
    pub fn new(settings: Arc<Settings>, tls: Option<Secured>) -> Self {
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
            trust: Trust::default(),
            proxied: None,
            forwarded: None,
            transaction: None,
            behind_refusal: false,
            recipients_named: 0,
            errors: 0,
            idle_commands: 0,
            refused: false,
            stopping: false,
            revoked: false,
            doubtful: false,
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
                State::Salting(salting) => {
                    return Event::Ask(Ask::Verifier(salting.user().to_owned()));
                }
                State::Handshake if self.output.is_empty() => return Event::StartTls,
                State::Closed if self.output.is_empty() => return Event::Close,
                State::Handshake | State::Closed => false,
                State::Command | State::Auth(_) | State::Proved(_) => self.proceed_with_line(),
                State::Data(_) => self.proceed_with_data(),
                State::Chunk(_) => self.proceed_with_chunk(),
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
            State::Salting(salting) => return self.salt(salting, answer),
            other => {
                self.state = other;
                return;
            }
        };
        let reply = match answer {
            Answer::Close(reply) => {
                self.pass_on(&reply);
                return self.close(self.refusal(reply));
            }
            Answer::Reply(reply) => Some(reply),
            Answer::Proceed | Answer::Verifier(_) => None,
        };
        let yes = reply.as_ref().is_none_or(Reply::is_positive);
        match &ask {
            Ask::Connect => return self.greet(reply.filter(|_| !yes)),
            Ask::Proxied(said) if yes => return self.proxy(said.clone()),
            Ask::Authenticate(claim) if yes => {
                let user = claim.user().to_owned();
                match claim.receipt() {
                    // SMTP has no room for it in its success (RFC 4954 section 4).
                    Some(receipt) => {
                        self.say(&Reply::plain(334, &receipt));
                        return self.state = State::Proved(user);
                    }
                    None => self.authenticated(user),
                }
            }
            Ask::Mail(mail) if yes => {
                self.transaction = Some(Transaction {
                    smtputf8: mail.smtputf8,
                    ..Transaction::default()
                });
                self.behind_refusal = false;
                self.forwarded = None;
            }
            Ask::Recipient(_) if yes => {
                if let Some(transaction) = &mut self.transaction {
                    // The first was counted before it was known to be one.
                    let counted = u32::from(transaction.recipients == 0);
                    self.idle_commands = self.idle_commands.saturating_sub(counted);
                    transaction.recipients += 1;
                }
            }
            Ask::Message { .. } => self.idle_commands = 0,
            Ask::Authenticate(_) | Ask::Mail(_) | Ask::Recipient(_) | Ask::Proxied(_) => {}
            // Never a state that is asked.
            Ask::Verifier(_) => {}
        }
        let reply = reply.unwrap_or_else(|| match ask {
            Ask::Authenticate(_) | Ask::Verifier(_) => welcome(),
            Ask::Mail(_) => Reply::new(250, "2.1.0", "Sender OK"),
            Ask::Recipient(_) => Reply::new(250, "2.1.5", "Recipient OK"),
            Ask::Connect | Ask::Proxied(_) | Ask::Message { .. } => {
                Reply::new(250, "2.0.0", "Message accepted")
            }
        });
        self.pass_on(&reply);
    }

    /// Goes on with an exchange whose challenge needed a verifier.
    fn salt(&mut self, salting: Salting, answer: Answer) {
        let step = match answer {
            Answer::Verifier(verifier) => salting.with(verifier).map_err(auth::refusal),
            Answer::Reply(reply) => return self.pass_on(&reply),
            Answer::Close(reply) => {
                self.pass_on(&reply);
                return self.close(self.refusal(reply));
            }
            Answer::Proceed => Err(Reply::new(454, "4.7.0", "Cannot check that now")),
        };
        self.auth_step(step.map(|(challenge, exchange)| Step::Challenge(challenge, exchange)));
    }

    fn authenticated(&mut self, user: String) {
        self.user = Some(user);
        self.idle_commands = 0;
    }

    /// What AUTH has proved holds no more: 421 4.7.0 to the next command but QUIT.
    pub fn revoke(&mut self) {
        self.revoked = true;
    }

    /// Names the transaction in hand: the refusals that are the session's own end with the label
    /// in parentheses from now on, as the owner's may. Without a transaction it does nothing.
    pub fn label(&mut self, label: String) {
        if let Some(transaction) = &mut self.transaction {
            transaction.label = Some(label);
        }
    }

    /// The handshake that [`Event::StartTls`] asked for is done. The session begins afresh (RFC
    /// 3207 section 4.2).
    pub fn tls_started(&mut self, secured: Secured) {
        if matches!(self.state, State::Handshake) {
            self.state = State::Command;
            self.tls = Some(secured);
            self.helo = None;
            self.forwarded = None;
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

    /// The argument of EHLO or HELO: printable ASCII without spaces, at most 255 octets. What
    /// XCLIENT has said of it goes before what its sender calls itself.
    pub fn helo(&self) -> Option<&str> {
        let proxied = self.proxied().and_then(|said| said.value(Attribute::Helo));
        let own = self.helo.as_ref().map(|helo| helo.name.as_str());
        proxied.or(own)
    }

    /// Protocol and cipher; `None` in plaintext.
    pub fn tls(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.by.as_str())
    }

    /// What a log-in can be bound to.
    fn binding(&self) -> Option<Binding> {
        self.tls.as_ref()?.binding
    }

    /// The user that AUTH has proved, or that XCLIENT says has logged in.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// How mail comes in, for the `with` clause of Received; `smtputf8` says whether MAIL
    /// announced it.
    pub fn protocol(&self, smtputf8: bool) -> &'static str {
        let proxied = self.proxied().and_then(|said| said.value(Attribute::Proto));
        let extended = match proxied {
            Some(protocol) => protocol.eq_ignore_ascii_case("ESMTP"),
            None => self.helo.as_ref().is_some_and(|helo| helo.extended),
        };
        match extended || smtputf8 {
            true => protocol(smtputf8, self.tls.is_some(), self.user.is_some()),
            false => "SMTP",
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
        let limits = LineLimits {
            command: limits.command_line,
            auth: limits.auth_line,
            is_answer: matches!(self.state, State::Auth(_) | State::Proved(_)),
        };
        let Some(line) = self.lines.cut(&mut self.input, limits) else {
            return false;
        };
        let is_secret = |line| limits.is_answer || Opening::of(line) == Opening::Auth;
        let secret = match &line {
            Line::Whole(line) if is_secret(line) => Some(line.clone()),
            _ => None,
        };
        match mem::replace(&mut self.state, State::Command) {
            State::Auth(exchange) => {
                self.auth_line(line, |line| auth::respond(exchange, line));
            }
            State::Proved(user) => self.acknowledged(user, line),
            _ => self.command_line(line),
        }
        if let Some(secret) = secret {
            line::wipe(secret, &mut self.input);
        }
        true
    }

    fn auth_line(&mut self, line: Line, respond: impl FnOnce(&[u8]) -> Result<Step, Reply>) {
        match line {
            Line::Whole(line) => self.auth_step(respond(&line)),
            // RFC 4954 section 4: the exchange fails, the session stays.
            Line::TooLong(_) => self.say(&too_long_to_log_in()),
            // No base64 has such octets.
            Line::Stray(_) => self.say(&auth::refusal(SaslError::Base64)),
        }
    }

    fn auth_step(&mut self, step: Result<Step, Reply>) {
        match step {
            Ok(Step::Challenge(text, exchange)) => {
                self.say(&Reply::plain(334, &text));
                self.state = State::Auth(exchange);
            }
            Ok(Step::Salt(salting)) => self.state = State::Salting(salting),
            Ok(Step::Claim(claim)) => self.state = State::Asked(Ask::Authenticate(claim)),
            Err(reply) => self.say(&reply),
        }
    }

    /// The client answers our proof: with nothing, if it holds for it.
    fn acknowledged(&mut self, user: String, line: Line) {
        let fault = match line {
            Line::Whole(line) if line.is_empty() => {
                self.authenticated(user);
                return self.say(&welcome());
            }
            Line::Whole(line) if line.as_ref() == b"*" => SaslError::Cancelled,
            Line::Whole(_) => SaslError::Form,
            Line::TooLong(_) => return self.say(&too_long_to_log_in()),
            Line::Stray(_) => SaslError::Base64,
        };
        self.say(&auth::refusal(fault));
    }

    /// Takes message bytes, if there are any that mean something.
    fn proceed_with_data(&mut self) -> bool {
        let State::Data(decoder) = &mut self.state else {
            return false;
        };
        let waiting = self.input.len();
        let (piece, ended) = decoder.decode(&mut self.input, &self.settings.limits);
        let (fault, size, eight_bit) = (decoder.fault, decoder.size, decoder.eight_bit);
        let repairs = ended.then(|| decoder.repairs()).flatten();
        if !piece.is_empty() {
            self.events.push_back(Event::Data(piece));
        }
        if ended {
            match fault {
                None => {
                    self.doubtful = decoder.doubtful_end;
                    self.transaction = None;
                    self.state = State::Asked(Ask::Message {
                        size,
                        eight_bit,
                        repairs,
                    });
                }
                Some(fault) => {
                    let reply = self.labelled(fault.reply(&self.settings.limits));
                    self.pass_on(&reply);
                    self.give_up(self.refusal(reply));
                    self.state = State::Command;
                    if fault == Fault::StrayOctet {
                        self.close(Abort::GivenUp);
                    }
                }
            }
        }
        self.input.len() < waiting
    }

    /// Says a reply of the session's own.
    fn say(&mut self, reply: &Reply) {
        let reply = self.labelled(reply.clone());
        self.pass_on(&reply);
    }

    /// A refusal names the transaction in hand.
    fn labelled(&self, reply: Reply) -> Reply {
        let label = self.transaction.as_ref().and_then(|t| t.label.as_ref());
        match label {
            Some(label) if reply.is_negative() => reply.labelled(label),
            _ => reply,
        }
    }

    /// Says a reply, and counts it if it is an error.
    fn pass_on(&mut self, reply: &Reply) {
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
            self.close(self.refusal(reply.clone()));
        }
    }

    /// How a transaction ends with this reply.
    fn refusal(&self, reply: Reply) -> Abort {
        let message = match &self.state {
            State::Data(decoder) => Some(decoder),
            _ => self.chunked(),
        };
        let size = message.map_or(0, |message| message.size.max(message.came));
        Abort::Refused { reply, size }
    }

    fn close(&mut self, abort: Abort) {
        self.give_up(abort);
        self.input.clear();
        self.state = State::Closed;
    }

    /// Ends the transaction in hand, if there is one, without a message.
    fn give_up(&mut self, abort: Abort) {
        if self.transaction.take().is_some() {
            self.events.push_back(Event::Aborted(abort));
        }
    }
}

/// RFC 4954 section 4.
fn too_long_to_log_in() -> Reply {
    Reply::new(500, "5.5.6", "Authentication line is too long")
}

fn welcome() -> Reply {
    Reply::new(235, "2.7.0", "Authenticated")
}
