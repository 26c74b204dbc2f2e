//! The commands of one transaction (RFC 5321 section 3.3), in what groups they go out (RFC 2920),
//! and what the replies make of each recipient.

use bytes::{BufMut, BytesMut};

use super::{Capabilities, Outcome, Stage, Transaction, TransactionResult};
use crate::dsn::{MessageRequest, Recipient, RecipientRequest, Ret, encode_xtext};
use crate::reply::Reply;

/// Commands sent before the replies to them are waited for. Bounded, so that neither side's
/// socket buffers fill up while both write and nobody reads (RFC 2920 section 3.1).
const GROUP: usize = 100;

/// One command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    /// To clear what an earlier transaction left behind.
    Reset,
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
    /// Send the message.
    Message,
    /// Nobody is left to send the message to, but the server waits for one: send none.
    NoMessage,
    /// The transaction is over.
    Over,
}

/// A transaction in hand.
#[derive(Debug)]
pub(super) struct Envelope {
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
    pub(super) fn new(transaction: Transaction, offer: &Capabilities, reset: bool) -> Self {
        let fates = transaction.recipients.iter().map(|recipient| {
            let refusal = unsendable(&transaction, recipient.address.is_ascii(), offer)?;
            Some(Outcome {
                reply: refusal,
                stage: Stage::Local,
            })
        });
        let fates: Vec<_> = fates
            .map(|refused| refused.map_or(Fate::Open, Fate::Decided))
            .collect();
        let open = |&at: &usize| matches!(fates[at], Fate::Open);
        let mut commands: Vec<_> = (0..fates.len())
            .filter(open)
            .map(Command::Recipient)
            .collect();
        if !commands.is_empty() {
            commands.insert(0, Command::Mail);
            commands.push(Command::Data);
            if reset {
                commands.insert(0, Command::Reset);
            }
        }
        Self {
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
        let hopeless = match self.commands.get(self.sent) {
            Some(Command::Recipient(_)) => !self.any(|fate| matches!(fate, Fate::Open)),
            Some(Command::Data) => !self.any(|fate| matches!(fate, Fate::Accepted)),
            Some(Command::Reset | Command::Mail) => false,
            None => true,
        };
        if hopeless {
            return Next::Over;
        }
        let group = if offer.pipelining { GROUP } else { 1 };
        let end = self.commands.len().min(self.sent + group);
        for command in &self.commands[self.sent..end] {
            self.write(*command, offer, out);
        }
        self.sent = end;
        Next::Go
    }

    fn write(&self, command: Command, offer: &Capabilities, out: &mut BytesMut) {
        let line = match command {
            Command::Reset => "RSET".to_owned(),
            Command::Mail => {
                let mut line = format!("MAIL FROM:<{}>", self.transaction.reverse_path);
                if offer.size {
                    line.push_str(&format!(" SIZE={}", self.transaction.size));
                }
                if self.transaction.eight_bit {
                    line.push_str(" BODY=8BITMIME");
                }
                if offer.dsn {
                    line.push_str(&mail_parameters(&self.transaction.dsn));
                }
                line
            }
            Command::Recipient(at) => {
                let Recipient { address, dsn } = &self.transaction.recipients[at];
                let mut line = format!("RCPT TO:<{address}>");
                if offer.dsn {
                    line.push_str(&recipient_parameters(dsn));
                }
                line
            }
            Command::Data => "DATA".to_owned(),
        };
        out.put_slice(line.as_bytes());
        out.put_slice(b"\r\n");
    }

    /// The stage whose reply is due.
    pub(super) fn stage(&self) -> Stage {
        match self.commands.get(self.answered) {
            Some(Command::Reset) => Stage::Local,
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
        let Some(&command) = self.commands.get(self.answered) else {
            return Err(format!("a reply to nothing: {reply}"));
        };
        self.answered += 1;
        let refused = reply.is_negative();
        match command {
            Command::Reset if reply.is_positive() => self.open = false,
            Command::Mail if reply.is_positive() => self.open = true,
            Command::Mail if refused => self.decide(&reply, Stage::Mail),
            // After a refused MAIL they are refused because of it, and so already decided.
            Command::Recipient(at) if matches!(self.fates[at], Fate::Decided(_)) => {}
            Command::Recipient(at) if reply.is_positive() => self.fates[at] = Fate::Accepted,
            Command::Recipient(at) if refused => {
                self.fates[at] = Fate::Decided(Outcome {
                    reply,
                    stage: Stage::Recipient,
                });
            }
            Command::Data if reply.code() == 354 => {
                let anybody = self.any(|fate| matches!(fate, Fate::Accepted));
                return Ok(if anybody {
                    Next::Message
                } else {
                    Next::NoMessage
                });
            }
            Command::Data if refused => {
                self.decide(&reply, Stage::Data);
                return Ok(Next::Over);
            }
            _ => return Err(format!("unfit reply to {}: {reply}", command.verb())),
        }
        Ok(Next::Wait)
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
    fn verb(self) -> &'static str {
        match self {
            Self::Reset => "RSET",
            Self::Mail => "MAIL",
            Self::Recipient(_) => "RCPT",
            Self::Data => "DATA",
        }
    }
}

/// What MAIL says of notifications: all that the sender asked for, and nothing else (RFC 3461
/// section 5.2.1).
fn mail_parameters(dsn: &MessageRequest) -> String {
    let mut parameters = match dsn.ret {
        Some(Ret::Full) => " RET=FULL".to_owned(),
        Some(Ret::Headers) => " RET=HDRS".to_owned(),
        None => String::new(),
    };
    if let Some(id) = &dsn.envelope_id {
        parameters.push_str(&format!(" ENVID={}", id.to_xtext()));
    }
    parameters
}

/// The same for RCPT. An ORCPT could be added where the sender gave none, but no recipient is
/// rewritten here, so it would only repeat the forward-path.
fn recipient_parameters(dsn: &RecipientRequest) -> String {
    let mut parameters = String::new();
    if let Some(notify) = dsn.notify {
        parameters.push_str(&format!(" NOTIFY={}", notify.value()));
    }
    if let Some(original) = &dsn.original {
        let address = encode_xtext(&original.address);
        parameters.push_str(&format!(" ORCPT={};{address}", original.address_type));
    }
    parameters
}

/// Why a message cannot be sent to a server that offers this, if so: it would have to be changed
/// first (RFC 6152 section 3, RFC 6531 section 3.1).
fn unsendable(transaction: &Transaction, ascii: bool, offer: &Capabilities) -> Option<Reply> {
    let from_ascii = transaction.reverse_path.as_str().is_ascii();
    if !ascii || !from_ascii {
        return Some(Reply::new(
            553,
            "5.6.7",
            "An address outside ASCII needs SMTPUTF8, which is not spoken here",
        ));
    }
    if transaction.eight_bit && !offer.eight_bit_mime {
        return Some(Reply::new(
            554,
            "5.6.3",
            "Message holds 8-bit octets and the next hop does not offer 8BITMIME",
        ));
    }
    None
}
