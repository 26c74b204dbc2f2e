//! State machine of the server's side. The commands are in [`commands`].

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
use super::line::{self, FirstWord, Line, LineCutter, LineLimits};
use super::proxied::{Attribute, Attributes, Trust};
use super::{Abort, Answer, Ask, Event, Secured, Settings, protocol};
use crate::reply::Reply;

/// Octets of replies that are collected before they are sent, even if more commands wait.
const MAX_COLLECTED_REPLIES: usize = 16 * 1024;

/// The server's side of one connection.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    state: State,
    input: BytesMut,
    lines: LineCutter,
    output: BytesMut,
    /// Events that come before any other.
    events: VecDeque<Event>,
    tls: Option<Secured>,
    helo: Option<Helo>,
    user: Option<String>,
    trust: Trust,
    /// Attributes given by XCLIENT.
    proxied: Option<Box<Attributes>>,
    /// Attributes given by XFORWARD for the next transaction.
    forwarded: Option<Box<Attributes>>,
    transaction: Option<Transaction>,
    /// True after a refused MAIL or chunk, and through the RCPTs, DATA and chunks behind it.
    behind_refusal: bool,
    /// Recipients named since the last MAIL, the refused ones included.
    recipients_named: usize,
    /// 5xx replies so far.
    errors: u32,
    /// Commands since the last progress.
    idle_commands: u32,
    /// True if the banner refused the client.
    refused: bool,
    /// True once the relay is stopping.
    stopping: bool,
    /// True once the credential that AUTH proved is revoked.
    revoked: bool,
    /// True if the last message ended where another server may have seen no end.
    doubtful: bool,
}

#[derive(Debug)]
struct Helo {
    name: String,
    /// True for EHLO, false for HELO.
    extended: bool,
}

/// Transaction in hand; it begins when the owner accepts MAIL.
#[derive(Debug, Default)]
struct Transaction {
    recipients: usize,
    smtputf8: bool,
    /// Decoder of the message, once its first chunk has come.
    chunked: Option<Decoder>,
    /// Name of the transaction in refusals.
    label: Option<String>,
}

#[derive(Debug)]
enum State {
    /// The owner's answer to this is due.
    Asked(Ask),
    /// A command is due.
    Command,
    /// A line of an AUTH exchange is due.
    Auth(Exchange),
    /// The owner's verifier is due.
    AwaitingVerifier(Salting),
    /// This user's acknowledgement of our proof is due.
    AwaitingAcknowledgement(String),
    /// Octets of a message are due.
    Data(Decoder),
    /// Octets of a chunk are due.
    Chunk(Chunk),
    /// The TLS handshake is due.
    Handshake,
    /// The session is over.
    Closed,
}

impl Session {
    /// Creates a session on a new connection; `tls` is given for implicit TLS (RFC 8314).
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

    /// Hands in bytes that the client sent. Call it after [`Event::NeedInput`] only: at other times
    /// the bytes are kept without a bound.
    pub fn feed(&mut self, bytes: &[u8]) {
        // Plaintext after STARTTLS may be an attacker's: it was sent before the 220, and is never
        // executed (RFC 3207 section 6, CVE-2011-0411).
        if !matches!(self.state, State::Handshake | State::Closed) {
            self.input.extend_from_slice(bytes);
        }
    }

    /// Returns the next event. One that asks the owner for a call is returned again until the call
    /// is made.
    pub fn next_event(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let proceeds = match &mut self.state {
                State::Asked(ask) => return Event::Ask(ask.clone()),
                State::AwaitingVerifier(salting) => {
                    return Event::Ask(Ask::Verifier(salting.user().to_owned()));
                }
                State::Handshake if self.output.is_empty() => return Event::StartTls,
                State::Closed if self.output.is_empty() => return Event::Close,
                State::Handshake | State::Closed => false,
                State::Command | State::Auth(_) | State::AwaitingAcknowledgement(_) => {
                    self.handle_line()
                }
                State::Data(_) => self.proceed_with_data(),
                State::Chunk(_) => self.proceed_with_chunk(),
            };
            if !self.output.is_empty() && (!proceeds || self.output.len() >= MAX_COLLECTED_REPLIES)
            {
                return Event::Send(self.output.split().freeze());
            }
            if !proceeds {
                return Event::NeedInput;
            }
        }
    }

    /// Answers the last [`Event::Ask`]; without a question it does nothing.
    pub fn answer(&mut self, answer: Answer) {
        let ask = match mem::replace(&mut self.state, State::Command) {
            State::Asked(ask) => ask,
            State::AwaitingVerifier(salting) => return self.answer_verifier(salting, answer),
            other => {
                self.state = other;
                return;
            }
        };
        let reply = match answer {
            Answer::Close(reply) => {
                self.write_counted(&reply);
                return self.close(self.refusal(reply));
            }
            Answer::Reply(reply) => Some(reply),
            Answer::Proceed | Answer::Verifier(_) => None,
        };
        let yes = reply.as_ref().is_none_or(Reply::is_positive);
        match &ask {
            Ask::Connect => return self.greet(reply.filter(|_| !yes)),
            Ask::Proxied(attributes) if yes => return self.proxy(attributes.clone()),
            Ask::Authenticate(claim) if yes => {
                let user = claim.user().to_owned();
                match claim.receipt() {
                    // SMTP has no room for it in the reply of success (RFC 4954 section 4).
                    Some(receipt) => {
                        self.say(&Reply::plain(334, &receipt));
                        return self.state = State::AwaitingAcknowledgement(user);
                    }
                    None => self.set_user(user),
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
                    // The first was counted before it was accepted.
                    let counted = u32::from(transaction.recipients == 0);
                    self.idle_commands = self.idle_commands.saturating_sub(counted);
                    transaction.recipients += 1;
                }
            }
            Ask::Message { .. } => self.idle_commands = 0,
            Ask::Authenticate(_) | Ask::Mail(_) | Ask::Recipient(_) | Ask::Proxied(_) => {}
            // Never in `State::Asked`.
            Ask::Verifier(_) => {}
        }
        let reply = reply.unwrap_or_else(|| match ask {
            Ask::Authenticate(_) | Ask::Verifier(_) => auth_succeeded(),
            Ask::Mail(_) => Reply::new(250, "2.1.0", "Sender OK"),
            Ask::Recipient(_) => Reply::new(250, "2.1.5", "Recipient OK"),
            Ask::Connect | Ask::Proxied(_) | Ask::Message { .. } => {
                Reply::new(250, "2.0.0", "Message accepted")
            }
        });
        self.write_counted(&reply);
    }

    /// Continues an exchange whose challenge needs a verifier.
    fn answer_verifier(&mut self, salting: Salting, answer: Answer) {
        let step = match answer {
            Answer::Verifier(verifier) => salting.with(verifier).map_err(auth::refusal),
            Answer::Reply(reply) => return self.write_counted(&reply),
            Answer::Close(reply) => {
                self.write_counted(&reply);
                return self.close(self.refusal(reply));
            }
            Answer::Proceed => Err(Reply::new(454, "4.7.0", "Cannot check that now")),
        };
        self.auth_step(step.map(|(challenge, exchange)| Step::Challenge(challenge, exchange)));
    }

    fn set_user(&mut self, user: String) {
        self.user = Some(user);
        self.idle_commands = 0;
    }

    /// Revokes the credential that AUTH proved: the next command but QUIT gets 421 4.7.0.
    pub fn revoke(&mut self) {
        self.revoked = true;
    }

    /// Names the transaction in hand: from now on, the session's own refusals end with the label in
    /// parentheses, as the owner's may. Without a transaction it does nothing.
    pub fn label(&mut self, label: String) {
        if let Some(transaction) = &mut self.transaction {
            transaction.label = Some(label);
        }
    }

    /// Reports the end of the handshake that [`Event::StartTls`] asked for. The session begins
    /// afresh (RFC 3207 section 4.2).
    pub fn tls_started(&mut self, secured: Secured) {
        if matches!(self.state, State::Handshake) {
            self.state = State::Command;
            self.tls = Some(secured);
            self.helo = None;
            self.forwarded = None;
            self.idle_commands = 0;
        }
    }

    /// Ends the session with 421 4.4.2: the client was silent for too long, or the session has
    /// lasted too long.
    pub fn time_out(&mut self) {
        self.say(&Reply::new(421, "4.4.2", "Time is up, closing"));
    }

    /// Ends the session with 421 4.3.2 as soon as no transaction is in hand: the relay is stopping.
    pub fn shut_down(&mut self) {
        self.stopping = true;
    }

    /// Returns true if a transaction has begun and not ended.
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some() || matches!(self.state, State::Asked(Ask::Message { .. }))
    }

    /// Returns the argument of EHLO or HELO: printable ASCII without spaces, at most 255 octets.
    /// The name given by XCLIENT takes precedence.
    pub fn helo(&self) -> Option<&str> {
        let proxied = self
            .proxied()
            .and_then(|attributes| attributes.value(Attribute::Helo));
        let own = self.helo.as_ref().map(|helo| helo.name.as_str());
        proxied.or(own)
    }

    /// Returns protocol and cipher of TLS; `None` in plaintext.
    pub fn tls(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.by.as_str())
    }

    /// Returns the channel binding for AUTH.
    fn binding(&self) -> Option<Binding> {
        self.tls.as_ref()?.binding
    }

    /// Returns the user that AUTH has proved, or that XCLIENT has named.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the protocol for the `with` clause of Received; `smtputf8` says that MAIL announced
    /// SMTPUTF8.
    pub fn protocol(&self, smtputf8: bool) -> &'static str {
        let proxied = self
            .proxied()
            .and_then(|attributes| attributes.value(Attribute::Proto));
        let extended = match proxied {
            Some(protocol) => protocol.eq_ignore_ascii_case("ESMTP"),
            None => self.helo.as_ref().is_some_and(|helo| helo.extended),
        };
        match extended || smtputf8 {
            true => protocol(smtputf8, self.tls.is_some(), self.user.is_some()),
            false => "SMTP",
        }
    }

    /// Handles the next line. Returns false if there is none yet.
    fn handle_line(&mut self) -> bool {
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
            is_response: matches!(
                self.state,
                State::Auth(_) | State::AwaitingAcknowledgement(_)
            ),
        };
        let Some(line) = self.lines.cut(&mut self.input, limits) else {
            return false;
        };
        let is_secret = |line| limits.is_response || FirstWord::of(line) == FirstWord::Auth;
        let secret = match &line {
            Line::Whole(line) if is_secret(line) => Some(line.clone()),
            _ => None,
        };
        match mem::replace(&mut self.state, State::Command) {
            State::Auth(exchange) => {
                self.auth_line(line, |line| auth::respond(exchange, line));
            }
            State::AwaitingAcknowledgement(user) => self.handle_acknowledgement(user, line),
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
            // RFC 4954 section 4: the exchange fails, the session continues.
            Line::TooLong(_) => self.say(&auth_line_too_long()),
            // Base64 has no such octets.
            Line::Stray(_) => self.say(&auth::refusal(SaslError::Base64)),
        }
    }

    fn auth_step(&mut self, step: Result<Step, Reply>) {
        match step {
            Ok(Step::Challenge(text, exchange)) => {
                self.say(&Reply::plain(334, &text));
                self.state = State::Auth(exchange);
            }
            Ok(Step::Salt(salting)) => self.state = State::AwaitingVerifier(salting),
            Ok(Step::Claim(claim)) => self.state = State::Asked(Ask::Authenticate(claim)),
            Err(reply) => self.say(&reply),
        }
    }

    /// Handles the client's response to our proof: an empty line accepts it.
    fn handle_acknowledgement(&mut self, user: String, line: Line) {
        let fault = match line {
            Line::Whole(line) if line.is_empty() => {
                self.set_user(user);
                return self.say(&auth_succeeded());
            }
            Line::Whole(line) if line.as_ref() == b"*" => SaslError::Cancelled,
            Line::Whole(_) => SaslError::Form,
            Line::TooLong(_) => return self.say(&auth_line_too_long()),
            Line::Stray(_) => SaslError::Base64,
        };
        self.say(&auth::refusal(fault));
    }

    /// Decodes message bytes. Returns false if it needs more input.
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
                    self.write_counted(&reply);
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

    /// Sends a reply of the session's own.
    fn say(&mut self, reply: &Reply) {
        let reply = self.labelled(reply.clone());
        self.write_counted(&reply);
    }

    /// Adds the label of the transaction in hand to a refusal.
    fn labelled(&self, reply: Reply) -> Reply {
        let label = self.transaction.as_ref().and_then(|t| t.label.as_ref());
        match label {
            Some(label) if reply.is_negative() => reply.labelled(label),
            _ => reply,
        }
    }

    /// Writes a reply as it is, and counts it if it is an error.
    fn write_counted(&mut self, reply: &Reply) {
        self.errors += u32::from(reply.is_permanent());
        self.write(reply);
    }

    /// Writes a reply. A 421 is the last (RFC 5321 section 3.8).
    fn write(&mut self, reply: &Reply) {
        if matches!(self.state, State::Closed) {
            return;
        }
        reply.write_to(&mut self.output);
        if reply.code() == 421 {
            self.close(self.refusal(reply.clone()));
        }
    }

    /// Returns the end of a transaction that this reply refuses.
    fn refusal(&self, reply: Reply) -> Abort {
        let message = match &self.state {
            State::Data(decoder) => Some(decoder),
            _ => self.chunked(),
        };
        let size = message.map_or(0, |message| message.size.max(message.received));
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

/// Returns the reply to an overlong line of AUTH (RFC 4954 section 4).
fn auth_line_too_long() -> Reply {
    Reply::new(500, "5.5.6", "Authentication line is too long")
}

fn auth_succeeded() -> Reply {
    Reply::new(235, "2.7.0", "Authenticated")
}
