//! Mail from addresses that nobody wrote to, of a domain to which something went out. An answer
//! that comes from another address each time (an alias, a ticket's own address, a token, a list
//! that rewrites From) is found by its domain, words and subject, which stay the same.
//!
//! The keys, by domain:
//! - `out @DOMAIN` counts mail to the domain; behind it, `#` counts by subject and `:` by wording.
//! - `fast @DOMAIN` counts answers that nobody can have typed in that time.
//! - `in @DOMAIN` counts mail from addresses that were not written to: behind it, `!` if the
//!   message says that a machine wrote it, `?` if nothing shows a person's mail program, `:` by
//!   wording, `=` if the wording was used before, and `#` by a subject of ours.
//!
//! A limit that is reached holds for the message that has reached it and for the addresses to which
//! an answer to it would go: other people of a large domain get their answers.

use gatepost_sdk::{Decision, Facts};

use crate::content::Content;
use crate::correspondent::wording_tail;
use crate::counts::{self, DAY, MailDirection};
use crate::keys::{self, key};
use crate::limits::Limits;

/// Time for which nothing automatic goes to those addresses of a domain that are written to often,
/// once a limit was reached, in seconds.
const HELD_SECONDS: u32 = 3600;

/// Sign of its author in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorSign {
    /// Machine.
    Machine,
    /// Person's mail program.
    MailProgram,
    /// No sign.
    Nothing,
}

/// Incoming message, as it is counted by domain.
pub struct StrangerMail<'a> {
    /// Subject and words.
    pub content: &'a Content<'a>,
    /// Sign of its author.
    pub sign: AuthorSign,
    /// True if it answers a message.
    pub is_answer: bool,
}

/// Domain to which mail goes and from which it comes.
pub struct Domain<'a> {
    facts: &'a dyn Facts,
    limits: &'a Limits,
    name: String,
}

impl<'a> Domain<'a> {
    /// Returns the domain of an address.
    pub fn of(facts: &'a dyn Facts, limits: &'a Limits, address: &str) -> Option<Self> {
        Some(Self {
            facts,
            limits,
            name: keys::domain(address)?,
        })
    }

    /// Returns the name that it is counted under.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn outgoing_key(&self) -> String {
        key(&["out ", &self.name])
    }

    fn subject_key(&self, direction: MailDirection, subject: &str) -> String {
        key(&[direction.word(), &self.name, " # ", subject])
    }

    /// Returns true if mail without the trigger `agent` has gone there within a day.
    pub fn was_written_to(&self) -> bool {
        self.facts.counted(&self.outgoing_key(), DAY) > 0
    }

    fn wording_key(&self, direction: MailDirection, content: &Content<'_>) -> Option<String> {
        let body = content.body();
        let text = body.near.map(|_| wording_tail(body.wording))?;
        Some(key(&[direction.word(), &self.name, &text]))
    }

    fn repeats_key(&self) -> String {
        key(&["in ", &self.name, " ="])
    }

    fn held_key(&self) -> String {
        key(&["held ", &self.name])
    }

    fn fast_key(&self) -> String {
        key(&["fast ", &self.name])
    }

    /// Counts a message to the domain, and its subject.
    pub fn count_out(&self, content: &Content<'_>, decision: &mut Decision) {
        decision.count(self.outgoing_key(), 1);
        if let Some(subject) = content.subject() {
            decision.count(self.subject_key(MailDirection::Out, subject), 1);
        }
    }

    /// Counts the words of an answer to the domain; `fast` if nobody can have typed it in that
    /// time.
    pub fn count_answer(&self, content: &Content<'_>, fast: bool, decision: &mut Decision) {
        if let Some(worded) = self.wording_key(MailDirection::Out, content) {
            decision.count(worded, 1);
        }
        if fast {
            decision.count(self.fast_key(), 1);
        }
    }

    /// Returns true if an answer in these words has gone there within a day.
    pub fn was_sent_these_words(&self, content: &Content<'_>) -> bool {
        let worded = self.wording_key(MailDirection::Out, content);
        worded.is_some_and(|worded| self.facts.counted(&worded, DAY) > 0)
    }

    /// Returns true if strangers of the domain have repeated a wording within a day.
    pub fn have_repeated(&self) -> bool {
        self.facts.counted(&self.repeats_key(), DAY) > 0
    }

    /// Returns the number of answers within a day that nobody can have typed.
    pub fn fast_answers(&self) -> u64 {
        self.facts.counted(&self.fast_key(), DAY)
    }

    /// Returns true if the exchanges with strangers about this subject have reached the limit.
    pub fn goes_on_about(&self, content: &Content<'_>) -> bool {
        content.subject().is_some_and(|subject| {
            let pair = [MailDirection::In, MailDirection::Out]
                .map(|direction| self.subject_key(direction, subject));
            let [coming, going] = &pair;
            counts::exchanges_reach(
                self.facts,
                [coming, going],
                MailDirection::Out,
                self.limits.subject,
            )
        })
    }

    /// Returns the keys that count this message, each with the key of outgoing mail, its limit, and
    /// its name in reasons.
    fn counted_keys(&self, arrival: &StrangerMail<'_>) -> Vec<(String, String, u32, &str)> {
        let StrangerMail {
            content,
            sign,
            is_answer,
        } = arrival;
        let incoming = |tail: &str| key(&["in ", &self.name, tail]);
        let outgoing = self.outgoing_key();
        let Limits {
            words,
            subject,
            marked,
            domain,
            ..
        } = self.limits;
        let mut kinds = Vec::new();
        match sign {
            AuthorSign::Machine => {
                kinds.push((incoming(" !"), outgoing.clone(), *marked, "by machines"));
            }
            AuthorSign::Nothing => {
                let of = "by nobody's mail program";
                kinds.push((incoming(" ?"), outgoing.clone(), *domain, of));
            }
            AuthorSign::MailProgram => {}
        }
        if let Some(text) = self.wording_key(MailDirection::In, content) {
            kinds.push((text, outgoing, *words, "in the same words"));
        }
        // Only answers count: three hundred people may ask about one thing.
        if let (true, Some(about)) = (is_answer, content.subject()) {
            let ours = self.subject_key(MailDirection::Out, about);
            if self.facts.counted(&ours, DAY) > 0 {
                let theirs = self.subject_key(MailDirection::In, about);
                kinds.push((theirs, ours, *subject, "about one subject"));
            }
        }
        kinds
    }

    /// Returns the reason why no machine should answer, if a limit is reached.
    pub fn limit_reached(&self, arrival: &StrangerMail<'_>) -> Option<String> {
        let kinds = self.counted_keys(arrival).into_iter();
        let mut reached = kinds.filter(|(coming, going, limit, _)| {
            counts::exchanges_reach(self.facts, [coming, going], MailDirection::In, *limit)
        });
        let (_, _, limit, of) = reached.next()?;
        let name = &self.name;
        Some(format!(
            "{limit} exchanges with ever new addresses {name}, {of}"
        ))
    }

    /// Counts a message from an address of the domain that was not written to.
    pub fn count_in(&self, arrival: &StrangerMail<'_>, decision: &mut Decision) {
        for (coming, ..) in self.counted_keys(arrival) {
            decision.count(coming, 1);
        }
        let worded = self.wording_key(MailDirection::In, arrival.content);
        if worded.is_some_and(|worded| self.facts.counted(&worded, DAY) > 0) {
            decision.count(self.repeats_key(), 1);
        }
    }

    /// Remembers that a limit was reached: for a while nothing automatic goes to addresses of the
    /// domain that are written to often and never answer themselves.
    pub fn hold(&self, decision: &mut Decision) {
        decision.count(self.held_key(), 1);
    }

    /// Returns true if a limit was reached lately.
    pub fn is_held(&self) -> bool {
        self.facts.counted(&self.held_key(), HELD_SECONDS) > 0
    }
}

/// All correspondents of the account that say that they are machines and get answers.
pub struct MarkedOfAccount<'a> {
    /// Counts as they stood before.
    pub facts: &'a dyn Facts,
    /// The limits.
    pub limits: &'a Limits,
}

impl MarkedOfAccount<'_> {
    const INCOMING_KEY: &'static str = "in * !";
    const OUTGOING_KEY: &'static str = "out * !";

    /// Counts a message from one of them.
    pub fn count_in(&self, decision: &mut Decision) {
        decision.count(Self::INCOMING_KEY, 1);
    }

    /// Counts an answer to one of them.
    pub fn count_out(&self, decision: &mut Decision) {
        decision.count(Self::OUTGOING_KEY, 1);
    }

    /// Returns the reason why they get no further answer, if the limit is reached.
    pub fn limit_reached(&self) -> Option<String> {
        let limit = self.limits.account;
        let pair = [Self::INCOMING_KEY, Self::OUTGOING_KEY];
        counts::exchanges_reach(self.facts, pair, MailDirection::Out, limit)
            .then(|| format!("{limit} exchanges of the account with machines"))
    }
}
