//! A message in chunks (BDAT, RFC 3030): as many octets as each announces, whatever they are.
//!
//! A chunk that cannot be taken is read to its end all the same, so that none of its octets is ever
//! run as a command; its refusal is said there, and ends the transaction. The lines of the message
//! obey the rules of DATA, for by DATA it may have to go on.

use std::mem;

use super::{Session, State};
use crate::reply::Reply;
use crate::server::chunk::{self, Chunk};
use crate::server::command::Verb;
use crate::server::data::{Decoder, Fault};
use crate::server::{Ask, Event};

impl Session {
    /// BDAT: its octets come next.
    pub(super) fn chunk(&mut self, arguments: &[u8]) {
        let mut chunk = match Chunk::parse(arguments) {
            Ok(chunk) => chunk,
            Err(reply) => return self.end_with(reply),
        };
        chunk.refusal = self.out_of_sequence(Verb::Chunk);
        let limits = &self.settings.limits;
        if let Some(transaction) = self
            .transaction
            .as_mut()
            .filter(|_| chunk.refusal.is_none())
        {
            let message = transaction.chunked.get_or_insert_with(|| {
                self.events.push_back(Event::DataStarted);
                Decoder::new(limits)
            });
            // Every octet of the chunks before counts, whether it was kept or not.
            let came = message.came.saturating_add(message.held());
            let came = came.max(message.size);
            if came.saturating_add(chunk.size) > limits.message_size {
                chunk.refusal = Some(Fault::MessageTooLarge.reply(limits));
            }
        }
        self.state = State::Chunk(chunk);
    }

    /// A line that begins with BDAT and is none.
    pub(super) fn no_chunk(&mut self) {
        self.end_with(chunk::malformed());
    }

    /// What follows may be octets of a message: better not to hear it at all.
    fn end_with(&mut self, reply: Reply) {
        let reply = self.labelled(reply);
        self.pass_on(&reply);
        self.close(self.refusal(reply));
    }

    /// Takes octets of the chunk, if there are any, and answers it at its end.
    pub(super) fn proceed_with_chunk(&mut self) -> bool {
        let State::Chunk(chunk) = &mut self.state else {
            return false;
        };
        let waiting = self.input.len();
        let length = usize::try_from(chunk.left).map_or(waiting, |left| left.min(waiting));
        let octets = self.input.split_to(length);
        chunk.left -= length as u64;
        let over = chunk.left == 0;
        let chunked = self.transaction.as_mut().and_then(|t| t.chunked.as_mut());
        if let Some(message) = chunked.filter(|_| chunk.refusal.is_none()) {
            let pieces = message.chunk(octets, &self.settings.limits).into_iter();
            let pieces = pieces.filter(|piece| !piece.is_empty());
            self.events.extend(pieces.map(Event::Data));
        }
        if over {
            self.end_chunk();
        }
        over || length > 0
    }

    fn end_chunk(&mut self) {
        let State::Chunk(chunk) = mem::replace(&mut self.state, State::Command) else {
            return;
        };
        let limits = &self.settings.limits;
        let message = self.transaction.as_mut().and_then(|t| t.chunked.as_mut());
        let whole = message.map(|message| {
            if chunk.last && chunk.refusal.is_none() {
                let piece = message.end(limits);
                let held = Some(piece).filter(|piece| !piece.is_empty());
                self.events.extend(held.map(Event::Data));
            }
            let repairs = chunk.last.then(|| message.repairs()).flatten();
            (message.fault, message.size, message.eight_bit, repairs)
        });
        match (chunk.refusal, whole) {
            (None, Some((None, size, eight_bit, repairs))) if chunk.last => {
                self.transaction = None;
                self.state = State::Asked(Ask::Message {
                    size,
                    eight_bit,
                    repairs,
                });
            }
            (None, Some((Some(fault), ..))) => self.refuse_chunk(fault.reply(limits)),
            (Some(reply), _) => self.refuse_chunk(reply),
            (None, _) => {
                // It brings the message no nearer.
                self.idle_commands += u32::from(chunk.size == 0);
                let text = format!("{} octets taken", chunk.size);
                self.say(&Reply::new(250, "2.0.0", text));
            }
        }
    }

    /// A chunk that is refused ends the transaction: the message could never be whole.
    fn refuse_chunk(&mut self, reply: Reply) {
        let reply = self.labelled(reply);
        // As behind a refused MAIL (RFC 2920 section 3.1).
        match self.behind_refusal {
            true => self.write(&reply),
            false => self.pass_on(&reply),
        }
        self.give_up(self.refusal(reply));
        self.behind_refusal = true;
    }

    /// What has come of a message in chunks.
    pub(super) fn chunked(&self) -> Option<&Decoder> {
        self.transaction.as_ref()?.chunked.as_ref()
    }
}
