//! The commands of one transaction (RFC 5321 section 3.3), in what groups they go out (RFC 2920),
//! and what the replies make of each recipient.
//!
//! A message goes by DATA wherever DATA can carry it. BDAT would save no round trip: with
//! PIPELINING, DATA travels with the commands before it, while a chunk sent ahead of their
//! replies would go out in vain wherever all recipients are refused. So BDAT is for the
//! messages that DATA cannot carry unchanged, or not to everybody: that without a CRLF at its end, and
//! that with long lines. They go as one chunk, once it is known that somebody is to get it.

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
    /// To clear what an earlier transaction left behind.
    Reset,
    /// Says who sent the message, the line being this.
    Forward(String),
    Mail,
    /// The recipient of that index.
    Recipient(usize),
    Data,
}

/// What is known of one recipient.
#[derive(Debug)]
enum Fate {
    /// Not asked, or no reply yet.
    Open,
    /// The server takes mail for it.
    Accepted,
    Decided(Outcome),
}

/// What is to be done after a reply or at the start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait for the next reply.
    Wait,
    /// Send what was written, then wait.
    Go,
    /// Send the message, after what was written.
    Message(Framer),
    /// Nobody is left to send the message to, but the server waits for one: send none.
    NoMessage,
    /// The transaction is over.
    Over,
}

/// A transaction in hand.
#[derive(Debug)]
pub(super) struct Envelope {
    protocol: Protocol,
    transaction: Transaction,
    fates: Vec<Fate>,
    commands: Vec<Command>,
    sent: usize,
    answered: usize,
    /// MAIL was accepted, and the server has not taken a message since.
    pub(super) open: bool,
}

impl Envelope {
    /// Decides at once what cannot be sent to this server. `reset` asks for RSET first.
    pub(super) fn new(
        protocol: Protocol,
        mut transaction: Transaction,
        offer: &Capabilities,
        reset: bool,
    ) -> Self {
        let refusals = parameters::fit(&mut transaction, offer).into_iter();
        let fates: Vec<_> = refusals
            .map(|refusal| match refusal {
                Some(reply) => Fate::Decided(Outcome {
                    reply,
                    stage: Stage::Local,
                }),
                None => Fate::Open,
            })
            .collect();
        let open = |&at: &usize| matches!(fates[at], Fate::Open);
        let recipients: Vec<_> = (0..fates.len())
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
            // BDAT is sent once the replies to all these are there.
            let as_it_is = transaction.ends_in_crlf && transaction.long_lines == LongLines::None;
            if as_it_is || !offer.chunking {
                commands.push(Command::Data);
            }
        }
        Self {
            protocol,
            transaction,
            fates,
            commands,
            sent: 0,
            answered: 0,
            open: reset,
        }
    }

    /// Writes the next group of commands, if the last is answered and one makes sense.
    pub(super) fn write_group(&mut self, offer: &Capabilities, out: &mut BytesMut) -> Next {
        if self.answered < self.sent {
            return Next::Wait;
        }
        let accepted = self.any(|fate| matches!(fate, Fate::Accepted));
        let hopeless = match self.commands.get(self.sent) {
            Some(Command::Recipient(_)) => !self.any(|fate| matches!(fate, Fate::Open)),
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

    /// The stage whose reply is due.
    pub(super) fn stage(&self) -> Stage {
        match self.commands.get(self.answered) {
            Some(Command::Reset | Command::Forward(_)) => Stage::Local,
            Some(Command::Mail) => Stage::Mail,
            Some(Command::Recipient(_)) => Stage::Recipient,
            Some(Command::Data) => Stage::Data,
            None => Stage::Message,
        }
    }

    /// Takes the reply to the oldest command not answered.
    ///
    /// # Errors
    /// If it is none that the command can have.
    pub(super) fn answer(&mut self, reply: Reply) -> Result<Next, String> {
        let Some(command) = self.commands.get(self.answered) else {
            return Err(format!("a reply to nothing: {reply}"));
        };
        self.answered += 1;
        let refused = reply.is_negative();
        match command {
            Command::Reset if reply.is_positive() => self.open = false,
            // The message goes on without: it is not the sender's to suffer for what the next hop
            // will not hear of it.
            Command::Forward(_) if reply.is_positive() || refused => {}
            Command::Mail if reply.is_positive() => self.open = true,
            Command::Mail if refused => self.decide(&reply, Stage::Mail),
            // After a refused MAIL they are refused because of it, and so already decided.
            &Command::Recipient(at) if matches!(self.fates[at], Fate::Decided(_)) => {}
            &Command::Recipient(at) if reply.is_positive() => self.fates[at] = Fate::Accepted,
            &Command::Recipient(at) if refused => {
                self.fates[at] = Fate::Decided(Outcome {
                    reply: reply.for_a_recipient(),
                    stage: Stage::Recipient,
                });
            }
            Command::Data if reply.code() == 354 => {
                let anybody = self.any(|fate| matches!(fate, Fate::Accepted));
                return match (anybody, self.protocol) {
                    (true, _) => Ok(Next::Message(Framer::data())),
                    (false, Protocol::Smtp) => Ok(Next::NoMessage),
                    // There would be no reply to the end of it (RFC 2033 section 4.2).
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

    /// Takes a reply to the whole message: it is for all recipients, or over LMTP for the first
    /// accepted one that has none yet (RFC 2033 section 4.2).
    pub(super) fn answer_message(&mut self, reply: &Reply) -> Next {
        // The transaction is over either way (RFC 5321 section 4.1.1.4), but a Postfix that was
        // told to refuse at the end of data still answers the next MAIL with "nested MAIL
        // command", and would take the recipients behind it for this one's.
        self.open = reply.is_negative();
        if self.protocol == Protocol::Lmtp {
            let mut waiting = self.fates.iter_mut();
            if let Some(fate) = waiting.find(|fate| matches!(fate, Fate::Accepted)) {
                *fate = Fate::Decided(Outcome {
                    reply: reply.clone(),
                    stage: Stage::Message,
                });
            }
            if self.any(|fate| matches!(fate, Fate::Accepted)) {
                return Next::Wait;
            }
        }
        self.decide(reply, Stage::Message);
        Next::Over
    }

    /// Decides every recipient that is not decided.
    pub(super) fn decide(&mut self, reply: &Reply, stage: Stage) {
        for fate in &mut self.fates {
            if !matches!(fate, Fate::Decided(_)) {
                *fate = Fate::Decided(Outcome {
                    reply: reply.clone(),
                    stage,
                });
            }
        }
    }

    /// The result; `last` decides what nothing else has.
    pub(super) fn finish(mut self, last: &Reply, stage: Stage) -> TransactionResult {
        self.decide(last, stage);
        let recipients = self.fates.into_iter().filter_map(|fate| match fate {
            Fate::Decided(outcome) => Some(outcome),
            Fate::Open | Fate::Accepted => None,
        });
        TransactionResult {
            recipients: recipients.collect(),
        }
    }

    fn any(&self, is: impl Fn(&Fate) -> bool) -> bool {
        self.fates.iter().any(is)
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
