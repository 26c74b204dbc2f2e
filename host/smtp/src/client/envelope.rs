//! Commands of one transaction (RFC 5321 section 3.3), their groups (RFC 2920), and the outcome of
//! each recipient by the replies.
//!
//! A message goes by DATA wherever DATA can carry it. BDAT would save no round trip: with
//! PIPELINING, DATA goes out with the commands before it, while a chunk sent ahead of their replies
//! would be wasted if all recipients are refused. So BDAT is for messages that DATA cannot carry
//! unchanged, or not to every server: those without a CRLF at the end, and those with long lines.
//! They go as one chunk, once some recipient is accepted.

use bytes::{BufMut, BytesMut};

use super::{
    Capabilities, Framer, LongLines, Outcome, Protocol, Stage, Transaction, TransactionResult,
    parameters,
};
use crate::reply::Reply;

/// Commands sent before the replies to them are waited for. Bounded, so that neither side's
/// socket buffers fill up while both write and nobody reads (RFC 2920 section 3.1).
const GROUP: usize = 100;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    /// RSET, which clears an earlier transaction.
    Reset,
    /// XFORWARD, with this line.
    Forward(String),
    Mail,
    /// RCPT for the recipient of that index.
    Recipient(usize),
    Data,
}

/// State of one recipient.
#[derive(Debug)]
enum RecipientState {
    /// RCPT is not sent, or not answered.
    Open,
    /// RCPT was accepted.
    Accepted,
    Decided(Outcome),
}

/// Next step after a reply or at the start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait for the next reply.
    Wait,
    /// Send what was written, then wait.
    Go,
    /// Send the message, after what was written.
    Message(Framer),
    /// Send an empty message: no recipient was accepted, but the server waits for one.
    NoMessage,
    /// The transaction is over.
    Over,
}

/// A transaction in hand.
#[derive(Debug)]
pub(super) struct Envelope {
    protocol: Protocol,
    transaction: Transaction,
    states: Vec<RecipientState>,
    commands: Vec<Command>,
    sent: usize,
    answered: usize,
    /// True once MAIL was accepted, until the server accepts a message.
    pub(super) open: bool,
}

impl Envelope {
    /// Begins a transaction. Recipients to whom this server does not allow the message are decided
    /// at once. `reset` asks for RSET first.
    pub(super) fn new(
        protocol: Protocol,
        mut transaction: Transaction,
        offer: &Capabilities,
        reset: bool,
    ) -> Self {
        let refusals = parameters::adapt(&mut transaction, offer).into_iter();
        let states: Vec<_> = refusals
            .map(|refusal| match refusal {
                Some(reply) => RecipientState::Decided(Outcome {
                    reply,
                    stage: Stage::Local,
                }),
                None => RecipientState::Open,
            })
            .collect();
        let open = |&at: &usize| matches!(states[at], RecipientState::Open);
        let recipients: Vec<_> = (0..states.len())
            .filter(open)
            .map(Command::Recipient)
            .collect();
        let mut commands = Vec::new();
        if !recipients.is_empty() {
            if reset {
                commands.push(Command::Reset);
            }
            if let Some(origin) = &transaction.origin {
                let lines = origin.commands(&offer.xforward);
                commands.extend(lines.into_iter().map(Command::Forward));
            }
            commands.push(Command::Mail);
            commands.extend(recipients);
            // BDAT is sent once all these are answered.
            let as_it_is = transaction.ends_in_crlf && transaction.long_lines == LongLines::None;
            if as_it_is || !offer.chunking {
                commands.push(Command::Data);
            }
        }
        Self {
            protocol,
            transaction,
            states,
            commands,
            sent: 0,
            answered: 0,
            open: reset,
        }
    }

    /// Writes the next group of commands, if the last is answered and another makes sense.
    pub(super) fn write_group(&mut self, offer: &Capabilities, out: &mut BytesMut) -> Next {
        if self.answered < self.sent {
            return Next::Wait;
        }
        let accepted = self.any(|state| matches!(state, RecipientState::Accepted));
        let hopeless = match self.commands.get(self.sent) {
            Some(Command::Recipient(_)) => !self.any(|state| matches!(state, RecipientState::Open)),
            Some(Command::Data) => !accepted,
            Some(Command::Reset | Command::Forward(_) | Command::Mail) => false,
            None if accepted => {
                let chunk = format!("BDAT {} LAST\r\n", self.transaction.size);
                out.put_slice(chunk.as_bytes());
                return Next::Message(Framer::chunk());
            }
            None => true,
        };
        if hopeless {
            return Next::Over;
        }
        let group = if offer.pipelining { GROUP } else { 1 };
        let end = self.commands.len().min(self.sent + group);
        for command in &self.commands[self.sent..end] {
            let line = match command {
                Command::Reset => "RSET",
                Command::Forward(line) => line,
                Command::Mail => &parameters::mail(&self.transaction, offer),
                Command::Recipient(at) => {
                    &parameters::recipient(&self.transaction.recipients[*at], offer)
                }
                Command::Data => "DATA",
            };
            out.put_slice(line.as_bytes());
            out.put_slice(b"\r\n");
        }
        self.sent = end;
        Next::Go
    }

    /// Returns the stage whose reply is due.
    pub(super) fn stage(&self) -> Stage {
        match self.commands.get(self.answered) {
            Some(Command::Reset | Command::Forward(_)) => Stage::Local,
            Some(Command::Mail) => Stage::Mail,
            Some(Command::Recipient(_)) => Stage::Recipient,
            Some(Command::Data) => Stage::Data,
            None => Stage::Message,
        }
    }

    /// Handles the reply to the oldest command not answered.
    ///
    /// # Errors
    /// If the reply is not allowed for that command.
    pub(super) fn answer(&mut self, reply: Reply) -> Result<Next, String> {
        let Some(command) = self.commands.get(self.answered) else {
            return Err(format!("a reply to nothing: {reply}"));
        };
        self.answered += 1;
        let refused = reply.is_negative();
        match command {
            Command::Reset if reply.is_positive() => self.open = false,
            // A refused XFORWARD is ignored: the sender's message must not suffer for it.
            Command::Forward(_) if reply.is_positive() || refused => {}
            Command::Mail if reply.is_positive() => self.open = true,
            Command::Mail if refused => self.decide(&reply, Stage::Mail),
            // After a refused MAIL, recipients are refused because of it, and so already decided.
            &Command::Recipient(at) if matches!(self.states[at], RecipientState::Decided(_)) => {}
            &Command::Recipient(at) if reply.is_positive() => {
                self.states[at] = RecipientState::Accepted
            }
            &Command::Recipient(at) if refused => {
                self.states[at] = RecipientState::Decided(Outcome {
                    reply: reply.into_rcpt_reply(),
                    stage: Stage::Recipient,
                });
            }
            Command::Data if reply.code() == 354 => {
                let anybody = self.any(|state| matches!(state, RecipientState::Accepted));
                return match (anybody, self.protocol) {
                    (true, _) => Ok(Next::Message(Framer::data())),
                    (false, Protocol::Smtp) => Ok(Next::NoMessage),
                    // The server would not reply to its end (RFC 2033 section 4.2).
                    (false, Protocol::Lmtp) => {
                        Err("a go-ahead for a message without recipients".to_owned())
                    }
                };
            }
            Command::Data if refused => {
                self.decide(&reply, Stage::Data);
                return Ok(Next::Over);
            }
            _ => return Err(format!("unfit reply to {}: {reply}", command.verb())),
        }
        Ok(Next::Wait)
    }

    /// Handles a reply to the whole message: it is for all recipients, or over LMTP for the first
    /// accepted one that has none yet (RFC 2033 section 4.2).
    pub(super) fn answer_message(&mut self, reply: &Reply) -> Next {
        // The transaction is over either way (RFC 5321 section 4.1.1.4). But a Postfix that refused
        // at the end of data may still answer the next MAIL with "nested MAIL command", and would
        // add the recipients after it to this transaction.
        self.open = reply.is_negative();
        if self.protocol == Protocol::Lmtp {
            let mut waiting = self.states.iter_mut();
            if let Some(state) = waiting.find(|state| matches!(state, RecipientState::Accepted)) {
                *state = RecipientState::Decided(Outcome {
                    reply: reply.clone(),
                    stage: Stage::Message,
                });
            }
            if self.any(|state| matches!(state, RecipientState::Accepted)) {
                return Next::Wait;
            }
        }
        self.decide(reply, Stage::Message);
        Next::Over
    }

    /// Decides every undecided recipient.
    pub(super) fn decide(&mut self, reply: &Reply, stage: Stage) {
        for state in &mut self.states {
            if !matches!(state, RecipientState::Decided(_)) {
                *state = RecipientState::Decided(Outcome {
                    reply: reply.clone(),
                    stage,
                });
            }
        }
    }

    /// Returns the result; `last` decides the undecided recipients.
    pub(super) fn finish(mut self, last: &Reply, stage: Stage) -> TransactionResult {
        self.decide(last, stage);
        let recipients = self.states.into_iter().filter_map(|state| match state {
            RecipientState::Decided(outcome) => Some(outcome),
            RecipientState::Open | RecipientState::Accepted => None,
        });
        TransactionResult {
            recipients: recipients.collect(),
        }
    }

    fn any(&self, is: impl Fn(&RecipientState) -> bool) -> bool {
        self.states.iter().any(is)
    }
}

impl Command {
    fn verb(&self) -> &'static str {
        match self {
            Self::Reset => "RSET",
            Self::Forward(_) => "XFORWARD",
            Self::Mail => "MAIL",
            Self::Recipient(_) => "RCPT",
            Self::Data => "DATA",
        }
    }
}
