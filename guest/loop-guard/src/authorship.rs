//! Signs that a machine wrote a submission without a trigger header.
//!
//! The number of exchanges is no sign, since people in haste write as often. The way in which the
//! message is written is one. Each sign has innocent causes, so that one alone never decides: a
//! weight of [`MACHINE_WEIGHT`] is more than a person reaches who says the same thing three times,
//! is quick once, or sends a prepared text.

use crate::content::Content;
use crate::correspondent::{Correspondent, Repeated};
use crate::strangers::Domain;

/// Weight of signs from which a submission is taken for a machine's.
const MACHINE_WEIGHT: u32 = 4;

/// Signs in a submission, apart from the number of exchanges.
pub struct Submission<'a> {
    /// Recipient.
    pub them: &'a Correspondent<'a>,
    /// Domain of the recipient.
    pub domain: Option<&'a Domain<'a>>,
    /// Subject and words.
    pub content: &'a Content<'a>,
    /// Degree to which the recipient was sent the same words before.
    pub repeated: Repeated,
    /// True if its own header says that a machine wrote it.
    pub marked: bool,
    /// True if it has the marks of a person's mail program, or of an answer that was typed.
    pub looks_typed: bool,
    /// True if it answers a message.
    pub is_answer: bool,
    /// True if its thread or its subject has reached its limit without a person.
    pub goes_on: bool,
    /// True if it answers an automatic message, or goes to a known machine.
    pub answers_machine: bool,
}

/// Author of a submission, as far as the signs tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Author who may be a person.
    PossiblyPerson,
    /// Machine.
    Machine {
        /// True if it was faster than anybody types: a later attempt would not show that again.
        quick: bool,
    },
}

impl Submission<'_> {
    /// Returns the likely author, from the weight of the signs.
    pub fn writer(&self) -> Writer {
        let Self { them, domain, .. } = self;
        let words = self.content.body().words;
        let typed = self.looks_typed && self.repeated == Repeated::No;
        let fast = them.is_faster_than_typed(words);
        let before = domain.map_or(0, Domain::fast_answers);
        let repeats = them.have_repeated() || domain.is_some_and(Domain::have_repeated);
        let weight = self.repetition_weight()
            + u32::from(repeats)
            + u32::from(self.goes_on)
            + if self.marked { 3 } else { 0 }
            + if self.answers_machine { 2 } else { 0 }
            + match (fast, before) {
                (false, _) => 0,
                // A single fast answer may be a prepared text.
                (true, 2..) if !typed => MACHINE_WEIGHT,
                (true, 5..) => MACHINE_WEIGHT,
                (true, _) => 2,
            }
            + self.pace_weight(typed)
            + if them.never_sleeps() {
                MACHINE_WEIGHT
            } else {
                0
            };
        match weight >= MACHINE_WEIGHT {
            true => Writer::Machine { quick: fast },
            false => Writer::PossiblyPerson,
        }
    }

    fn repetition_weight(&self) -> u32 {
        match self.repeated {
            // Anybody repeats a word or two.
            Repeated::Exactly if self.content.body().words < 4 => 2,
            Repeated::Exactly => 3,
            Repeated::Nearly => 2,
            // The same words went to others of the domain: perhaps a prepared text.
            Repeated::No => {
                let told = self
                    .domain
                    .is_some_and(|of| of.was_sent_these_words(self.content));
                if told { 2 } else { 0 }
            }
        }
    }

    /// Returns the weight of answers at an even pace. Who opens one ticket after the other answers
    /// nobody, so that only answers weigh.
    fn pace_weight(&self, typed: bool) -> u32 {
        if !self.is_answer {
            return 0;
        }
        match self.them.evenly_timed_answers() {
            0..3 => 0,
            3..5 => 2,
            5..15 if typed => 2,
            _ => MACHINE_WEIGHT,
        }
    }
}
