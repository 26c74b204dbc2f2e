//! The tickets of a desk, and how a message finds its own.

use std::collections::HashMap;

use super::Letter;

/// Tickets, by their numbers from 0.
#[derive(Debug, Default)]
pub struct Tickets {
    all: Vec<Vec<Letter>>,
    /// Tickets of the desk's own messages, by Message-ID and by transaction; and of those that came
    /// in, by Message-ID.
    by_id: HashMap<String, usize>,
    /// Message-ID of the desk's newest message in each ticket.
    own: HashMap<usize, String>,
}

impl Tickets {
    /// Opens an empty one.
    pub fn open(&mut self) -> usize {
        self.all.push(Vec::new());
        self.all.len() - 1
    }

    /// Remembers a message of the desk by its Message-ID.
    pub fn sends(&mut self, ticket: usize, message_id: &str) {
        self.by_id.insert(message_id.to_owned(), ticket);
        self.own.insert(ticket, message_id.to_owned());
    }

    /// Returns the Message-ID of the desk's newest message in a ticket.
    pub fn own(&self, ticket: usize) -> &str {
        &self.own[&ticket]
    }

    /// Remembers a message of the desk by its transaction.
    pub fn sent(&mut self, ticket: usize, transaction: &str) {
        self.by_id.insert(transaction.to_owned(), ticket);
    }

    /// Puts a message to its ticket, or to a new one; returns its number, and true if it is new.
    pub fn file(&mut self, letter: Letter) -> (usize, bool) {
        let named = letter.answered.iter();
        let thread = letter
            .in_reply_to
            .iter()
            .chain(letter.references.iter().rev());
        let mut found = named.chain(thread).filter_map(|id| self.by_id.get(id));
        let found = found.next().copied();
        let ticket = found.unwrap_or_else(|| self.open());
        self.by_id.insert(letter.message_id.clone(), ticket);
        self.all[ticket].push(letter);
        (ticket, found.is_none())
    }

    /// Returns a message that came in, with the number of its ticket.
    pub fn letter(&self, message_id: &str) -> Option<(usize, &Letter)> {
        let numbered = self.all.iter().enumerate();
        let mut letters = numbered.flat_map(|(at, ticket)| ticket.iter().map(move |of| (at, of)));
        letters.find(|(_, letter)| letter.message_id == message_id)
    }

    /// Returns the newest message of a ticket.
    pub fn newest(&self, ticket: usize) -> &Letter {
        self.all[ticket].last().expect("nobody wrote")
    }

    /// Returns all messages that came in.
    pub fn letters(&self) -> impl Iterator<Item = &Letter> {
        self.all.iter().flatten()
    }
}
