//! State machine of the client's side.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use gatepost_sasl::client::Channel;

use super::auth::Auth;
use super::envelope::{Envelope, Next};
use super::framer::Framer;
use super::reader::ReplyReader;
use super::{
    Capabilities, Event, Failure, NotReady, OpeningStage, Protocol, Settings, Stage, Tls,
    Transaction,
};
use crate::reply::Reply;

/// The client's side of one connection.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    /// The encrypted connection, once TLS is active.
    channel: Option<Channel>,
    state: State,
    /// Stage of the opening; `None` once the session is open.
    opening: Option<OpeningStage>,
    input: BytesMut,
    reader: ReplyReader,
    output: BytesMut,
    events: VecDeque<Event>,
    capabilities: Capabilities,
    /// Refusal of EHLO by a server that accepted HELO after it.
    ehlo_refusal: Option<Reply>,
    /// True if the server may still have the last transaction open.
    needs_reset: bool,
}

#[derive(Debug)]
enum State {
    /// The banner is due.
    Greeting,
    /// The reply to EHLO is due.
    Ehlo,
    /// The reply to HELO is due.
    Helo,
    /// The reply to STARTTLS is due.
    StartTls,
    /// The TLS handshake is due.
    Handshake,
    /// The reply to AUTH, or to a response, is due.
    Auth(Box<Auth>),
    /// The reply to a cancelled AUTH is due, and the session then fails.
    AuthCancelled(Failure),
    /// Nothing is due.
    Ready,
    /// Replies to the envelope's commands are due.
    Envelope(Envelope),
    /// The message is due from the owner.
    Body(Envelope),
    /// The reply to the message is due.
    Message(Envelope),
    /// The reply to QUIT is due.
    Quit,
    Failed(Failure),
    Closed,
}

impl Session {
    /// Creates a session on a new connection, with its channel if it has implicit TLS; STARTTLS is
    /// then not used.
    pub fn new(settings: Settings, channel: Option<Channel>) -> Self {
        Self {
            settings,
            channel,
            state: State::Greeting,
            opening: Some(OpeningStage::Greeting),
            input: BytesMut::new(),
            reader: ReplyReader::default(),
            output: BytesMut::new(),
            events: VecDeque::new(),
            capabilities: Capabilities::default(),
            ehlo_refusal: None,
            needs_reset: false,
        }
    }

    /// Hands in bytes that the server sent.
    pub fn feed(&mut self, bytes: &[u8]) {
        if !matches!(self.state, State::Failed(_) | State::Closed) {
            self.input.extend_from_slice(bytes);
        }
    }

    /// Returns the next event.
    pub fn next_event(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            if !self.output.is_empty() {
                return Event::Send(self.output.split().freeze());
            }
            match &self.state {
                State::Handshake => return Event::StartTls,
                State::Failed(failure) => return Event::Failed(failure.clone()),
                State::Closed => return Event::Closed,
                _ => {}
            }
            match self.reader.next(&mut self.input) {
                Ok(Some(reply)) => self.handle_reply(reply),
                Ok(None) => return Event::NeedInput,
                Err(why) => self.fail(Failure::Protocol(why)),
            }
        }
    }

    /// Reports the end of the handshake that [`Event::StartTls`] asked for.
    pub fn tls_started(&mut self, channel: Channel) {
        if matches!(self.state, State::Handshake) {
            self.channel = Some(channel);
            // RFC 3207 section 4.2: what the server said before is forgotten.
            self.capabilities = Capabilities::default();
            self.ehlo();
        }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// If the session is not ready for one: before [`Event::Ready`], in a transaction or after
    /// the end. The transaction is handed back.
    pub fn begin(&mut self, transaction: Transaction) -> Result<(), NotReady> {
        if !matches!(self.state, State::Ready) {
            return Err(NotReady(Box::new(transaction)));
        }
        let protocol = self.settings.protocol;
        let envelope = Envelope::new(protocol, transaction, &self.capabilities, self.needs_reset);
        self.send_group(envelope);
        Ok(())
    }

    /// Reports that the message which [`Event::SendBody`] asked for is sent whole.
    pub fn body_sent(&mut self) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Body(envelope) => self.state = State::Message(envelope),
            other => self.state = other,
        }
    }

    /// Ends the session by QUIT where possible, then [`Event::Closed`]. In a transaction it is the
    /// same as losing the connection.
    pub fn quit(&mut self) {
        match self.state {
            State::Ready => {
                self.command("QUIT");
                self.state = State::Quit;
            }
            State::Envelope(_) | State::Body(_) | State::Message(_) => {
                self.fail(Failure::Disconnected("given up by the relay".into()));
            }
            State::Quit | State::Failed(_) | State::Closed => {}
            _ => self.state = State::Closed,
        }
    }

    /// Ends the session after a failure outside the protocol: the connection was lost or closed by
    /// the server, a time-out, a failed handshake. A transaction in hand finishes with it.
    pub fn fail(&mut self, failure: Failure) {
        self.end_with(&failure.reply(), Stage::Local, failure);
    }

    /// Returns the stage of the opening that the session is at, or at which it failed; `None` once
    /// it was open.
    pub fn opening(&self) -> Option<OpeningStage> {
        self.opening
    }

    /// Returns the capabilities that the server offered last.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Returns the time to wait for the next reply, or for the server to accept a piece of the
    /// message: at least what RFC 5321 section 4.5.3.2 asks.
    pub fn timeout(&self) -> Duration {
        let seconds = match self.state {
            State::Body(_) => 3 * 60,
            State::Message(_) => 10 * 60,
            State::Quit => 10,
            _ => 5 * 60,
        };
        Duration::from_secs(seconds)
    }

    /// Handles the reply that is due.
    fn handle_reply(&mut self, reply: Reply) {
        // RFC 5321 section 3.8: 421 may answer anything.
        if reply.code() == 421 && !matches!(self.state, State::Quit) {
            return self.refused(reply);
        }
        match mem::replace(&mut self.state, State::Closed) {
            State::Greeting if reply.code() == 220 => self.ehlo(),
            State::Ehlo if reply.code() == 250 => {
                self.capabilities = Capabilities::read(&reply);
                self.greeted();
            }
            // RFC 5321 section 4.1.1.1: a server without EHLO may accept HELO. A server without
            // LHLO is no LMTP server.
            State::Ehlo if reply.is_permanent() && self.settings.protocol == Protocol::Smtp => {
                self.capabilities = Capabilities::default();
                let helo = format!("HELO {}", self.settings.ehlo_name);
                self.command(&helo);
                self.ehlo_refusal = Some(reply);
                self.state = State::Helo;
            }
            State::Helo if reply.code() == 250 => self.greeted(),
            State::StartTls if reply.code() == 220 => {
                // Plaintext after the 220 would be taken for replies under TLS.
                self.state = if self.input.is_empty() {
                    self.opening = Some(OpeningStage::Tls);
                    State::Handshake
                } else {
                    State::Failed(Failure::Protocol("plaintext follows STARTTLS".into()))
                };
            }
            State::StartTls if reply.is_negative() && self.settings.tls != Tls::Required => {
                self.log_in();
            }
            State::Auth(mut auth) if reply.code() == 334 => match auth.answer(&reply) {
                Ok(response) => {
                    self.events.push_back(Event::SendSecret(response));
                    self.state = State::Auth(auth);
                }
                Err(error) => {
                    self.command("*");
                    self.state = State::AuthCancelled(error.into());
                }
            },
            State::Auth(auth) if reply.code() == 235 => match auth.finish() {
                Ok(()) => self.ready(),
                Err(error) => self.state = State::Failed(error.into()),
            },
            State::AuthCancelled(failure) => self.state = State::Failed(failure),
            State::Envelope(mut envelope) => match envelope.answer(reply) {
                Ok(Next::Message(framer)) => self.ask_for_body(envelope, framer),
                // RFC 2920 section 3.1: send the end of data alone.
                Ok(Next::NoMessage) => {
                    self.command(".");
                    self.state = State::Message(envelope);
                }
                Ok(Next::Over) => self.finish(envelope),
                Ok(Next::Wait | Next::Go) => self.send_group(envelope),
                Err(why) => {
                    self.state = State::Envelope(envelope);
                    self.fail(Failure::Protocol(why));
                }
            },
            State::Message(mut envelope) if !reply.is_intermediate() => {
                match envelope.answer_message(&reply) {
                    Next::Over => self.finish(envelope),
                    _ => self.state = State::Message(envelope),
                }
            }
            State::Quit => {}
            state => {
                let negative = reply.is_negative();
                self.state = state;
                if negative && !matches!(self.state, State::Ready) {
                    self.refused(reply);
                } else {
                    self.fail(Failure::Protocol(format!("unexpected reply: {reply}")));
                }
            }
        }
    }

    fn ehlo(&mut self) {
        let verb = match self.settings.protocol {
            Protocol::Smtp => "EHLO",
            Protocol::Lmtp => "LHLO",
        };
        let ehlo = format!("{verb} {}", self.settings.ehlo_name);
        self.command(&ehlo);
        self.ehlo_refusal = None;
        self.state = State::Ehlo;
        self.opening = Some(OpeningStage::Ehlo);
    }

    /// Continues after EHLO or HELO: with STARTTLS, where it is due, or with the log-in.
    fn greeted(&mut self) {
        match self.settings.tls {
            Tls::Opportunistic | Tls::Required if self.channel.is_some() => self.log_in(),
            Tls::Opportunistic | Tls::Required if self.capabilities.start_tls => {
                self.command("STARTTLS");
                self.state = State::StartTls;
                self.opening = Some(OpeningStage::StartTls);
            }
            Tls::Required => self.not_offered(OpeningStage::StartTls, Failure::TlsNotOffered),
            Tls::Opportunistic | Tls::None => self.log_in(),
        }
    }

    /// Logs in, if the settings say so. The secret is kept no longer than that takes.
    fn log_in(&mut self) {
        let Some(login) = self.settings.login.take() else {
            return self.ready();
        };
        match Auth::begin(&login, &self.capabilities, self.channel.as_ref()) {
            Ok((command, auth)) => {
                self.events.push_back(Event::SendSecret(command));
                self.state = State::Auth(Box::new(auth));
                self.opening = Some(OpeningStage::Auth);
            }
            Err(error) => self.not_offered(OpeningStage::Auth, error.into()),
        }
    }

    /// Ends the session at a stage for which the server offers too little. If it has refused EHLO,
    /// that is the reason: its own words say why.
    fn not_offered(&mut self, stage: OpeningStage, failure: Failure) {
        let (stage, failure) = match self.ehlo_refusal.take() {
            Some(reply) => {
                let stage = OpeningStage::Ehlo;
                let reason = None;
                let refused = Failure::SessionRefused {
                    stage,
                    reply,
                    reason,
                };
                (stage, refused)
            }
            None => (stage, failure),
        };
        self.opening = Some(stage);
        self.state = State::Failed(failure);
    }

    fn ready(&mut self) {
        self.opening = None;
        self.state = State::Ready;
        self.events.push_back(Event::Ready);
    }

    /// Sends the next group of the envelope's commands.
    fn send_group(&mut self, mut envelope: Envelope) {
        match envelope.write_group(&self.capabilities, &mut self.output) {
            Next::Over => self.finish(envelope),
            Next::Message(framer) => self.ask_for_body(envelope, framer),
            _ => self.state = State::Envelope(envelope),
        }
    }

    /// Asks the owner for the message.
    fn ask_for_body(&mut self, envelope: Envelope, framer: Framer) {
        if !self.output.is_empty() {
            let before = self.output.split().freeze();
            self.events.push_back(Event::Send(before));
        }
        self.events.push_back(Event::SendBody(framer));
        self.state = State::Body(envelope);
    }

    /// Reports the result of a transaction, and lets the next begin.
    fn finish(&mut self, envelope: Envelope) {
        self.needs_reset = envelope.open;
        let reply = Failure::Protocol("no reply for this recipient".into()).reply();
        self.events
            .push_back(Event::Finished(envelope.finish(&reply, Stage::Local)));
        self.ready();
    }

    /// Ends the session because of this reply.
    fn refused(&mut self, reply: Reply) {
        let reason = match &self.state {
            State::Auth(auth) => auth.reason(),
            State::AuthCancelled(failure) => {
                let failure = failure.clone();
                return self.fail(failure);
            }
            _ => None,
        };
        if let Some(stage) = self.opening {
            return self.fail(Failure::SessionRefused {
                stage,
                reply,
                reason,
            });
        }
        let stage = match &self.state {
            State::Envelope(envelope) => envelope.stage(),
            State::Body(_) | State::Message(_) => Stage::Message,
            _ => Stage::Local,
        };
        let failure = Failure::SessionEnded {
            stage,
            reply: reply.clone(),
        };
        self.end_with(&reply, stage, failure);
    }

    /// Ends the session for good; a transaction in hand ends with this reply.
    fn end_with(&mut self, reply: &Reply, stage: Stage, failure: Failure) {
        match mem::replace(&mut self.state, State::Closed) {
            State::Envelope(envelope) | State::Body(envelope) | State::Message(envelope) => {
                self.events
                    .push_back(Event::Finished(envelope.finish(reply, stage)));
                self.state = State::Failed(failure);
            }
            State::Failed(first) => self.state = State::Failed(first),
            State::Quit | State::Closed => {}
            _ => self.state = State::Failed(failure),
        }
        self.input.clear();
        self.output.clear();
    }

    fn command(&mut self, line: &str) {
        self.output.put_slice(line.as_bytes());
        self.output.put_slice(b"\r\n");
    }
}
