//! Messages in chunks (BDAT, RFC 3030): each command is followed by as many octets as it announces.
//!
//! A refused chunk is read to its end all the same, so that none of its octets is ever run as a
//! command; the refusal is sent after it, and ends the transaction. The lines of the message obey
//! the rules of DATA, because the message may have to leave by DATA.

use std::mem;

use super::{Session, State};
use crate::reply::Reply;
use crate::server::chunk::{self, Chunk};
use crate::server::command::Verb;
use crate::server::data::{Decoder, Fault};
use crate::server::{Ask, Event};

impl Session {
    /// Handles BDAT: the octets of the chunk come next.
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
            // Every octet of the earlier chunks counts, whether it was kept or not.
            let received = message.received.saturating_add(message.held_back_len());
            let received = received.max(message.size);
            if received.saturating_add(chunk.size) > limits.message_size {
                chunk.refusal = Some(Fault::MessageTooLarge.reply(limits));
            }
        }
        self.state = State::Chunk(chunk);
    }

    /// Handles a line that begins with BDAT but is malformed: replies and closes.
    pub(super) fn malformed_chunk(&mut self) {
        self.end_with(chunk::malformed());
    }

    /// Replies and closes: octets of a message may follow, and must not be read as commands.
    fn end_with(&mut self, reply: Reply) {
        let reply = self.labelled(reply);
        self.write_counted(&reply);
        self.close(self.refusal(reply));
    }

    /// Decodes octets of the chunk, if there are any, and replies at its end. Returns false if it
    /// needs input.
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
                // An empty chunk is no progress.
                self.idle_commands += u32::from(chunk.size == 0);
                let text = format!("{} octets taken", chunk.size);
                self.say(&Reply::new(250, "2.0.0", text));
            }
        }
    }

    /// Refuses a chunk and ends the transaction, since the message could never be whole.
    fn refuse_chunk(&mut self, reply: Reply) {
        let reply = self.labelled(reply);
        // As behind a refused MAIL (RFC 2920 section 3.1).
        match self.behind_refusal {
            true => self.write(&reply),
            false => self.write_counted(&reply),
        }
        self.give_up(self.refusal(reply));
        self.behind_refusal = true;
    }

    /// Returns the message whose first chunk has come.
    pub(super) fn chunked(&self) -> Option<&Decoder> {
        self.transaction.as_ref()?.chunked.as_ref()
    }
}
