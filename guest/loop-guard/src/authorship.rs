//! Whether a machine wrote a submission that does not say who did.
//!
//! How often something goes to and fro does not tell: people in haste do the same. What tells is
//! how it is written. Each sign has innocent causes, so one alone never decides: [`CERTAIN`] of
//! them is more than a person brings together, who says the same thing three times, is quick once, or
//! sends a prepared text.

use crate::content::Content;
use crate::correspondent::{Correspondent, Repeated};
use crate::strangers::Domain;

/// So much is a machine's.
const CERTAIN: u32 = 4;

/// What is known of a submission, apart from how often something goes to and fro.
pub struct Submission<'a> {
    /// Whom it goes to.
    pub them: &'a Correspondent<'a>,
    /// Their domain.
    pub domain: Option<&'a Domain<'a>>,
    /// What it says.
    pub content: &'a Content<'a>,
    /// How much of it they were told before.
    pub repeated: Repeated,
    /// Its own header says that a machine wrote it.
    pub marked: bool,
    /// It has the marks of a person's mail program, or of an answer that was typed.
    pub looks_typed: bool,
    /// It is in answer to something.
    pub is_answer: bool,
    /// It is the end of a thread without a person, or of a subject.
    pub goes_on: bool,
    /// It answers an automatic message, or goes to a known machine.
    pub answers_machine: bool,
}

/// Who wrote it, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Perhaps a person.
    Perhaps,
    /// A machine; `quick` where it was faster than anybody types.
    Machine {
        /// To wait would not show it again.
        quick: bool,
    },
}

impl Submission<'_> {
    /// Weighs the signs.
    pub fn writer(&self) -> Writer {
        let Self { them, domain, .. } = self;
        let words = self.content.body().words;
        let typed = self.looks_typed && self.repeated == Repeated::No;
        let fast = them.is_faster_than_typed(words);
        let before = domain.map_or(0, Domain::fast);
        let repeats = them.have_repeated() || domain.is_some_and(Domain::have_repeated);
        let weight = self.said_before()
            + u32::from(repeats)
            + u32::from(self.goes_on)
            + if self.marked { 3 } else { 0 }
            + if self.answers_machine { 2 } else { 0 }
            + match (fast, before) {
                (false, _) => 0,
                // Once may be a prepared text.
                (true, 2..) if !typed => CERTAIN,
                (true, 5..) => CERTAIN,
                (true, _) => 2,
            }
            + self.pace(typed)
            + if them.never_sleeps() { CERTAIN } else { 0 };
        match weight >= CERTAIN {
            true => Writer::Machine { quick: fast },
            false => Writer::Perhaps,
        }
    }

    fn said_before(&self) -> u32 {
        match self.repeated {
            // A word or two are said again by anybody.
            Repeated::Exactly if self.content.body().words < 4 => 2,
            Repeated::Exactly => 3,
            Repeated::Nearly => 2,
            // To others there: a prepared text, perhaps.
            Repeated::No => {
                let told = self.domain.is_some_and(|of| of.was_told(self.content));
                if told { 2 } else { 0 }
            }
        }
    }

    /// What an even pace of answers weighs. Whoever opens one ticket after the other answers nobody.
    fn pace(&self, typed: bool) -> u32 {
        if !self.is_answer {
            return 0;
        }
        match self.them.regular() {
            0..3 => 0,
            3..5 => 2,
            5..15 if typed => 2,
            _ => CERTAIN,
        }
    }
}
