//! Mail from addresses that nobody wrote to, of a domain to which something went out: an answer
//! that comes from another address each time (an alias, a ticket's own address, a token, a list
//! that rewrites From) is found by what does not change with it.
//!
//! What is counted, by domain: `out @DOMAIN`, the same with `#` and the subject and with `:` and the
//! wording, and `fast @DOMAIN` what nobody can have typed in that time; and of what comes from
//! addresses that were not written to: `in @DOMAIN` with `!` where it says that a machine wrote it, with
//! `?` where nothing shows a person's mail program, with `:` and its wording, with `=` where that was
//! used before, and with `#` where it is about a subject of ours. A limit that is reached holds for the message that has
//! reached it and for whoever an answer to it would go to: other people of a large domain get their
//! answers.

use gatepost_sdk::{Decision, Facts};

use crate::content::Content;
use crate::correspondent::wording;
use crate::counts::{self, DAY, Way};
use crate::keys::{self, key};
use crate::limits::Limits;

/// For how long nothing automatic goes on to addresses of a domain that are written to often, in
/// seconds.
const HELD: u32 = 3600;

/// What a message shows of its author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// A machine.
    Machine,
    /// A person's mail program.
    MailProgram,
    /// Neither.
    Nothing,
}

/// A message that comes in, as far as it matters here.
pub struct Arrival<'a> {
    /// What it says.
    pub content: &'a Content<'a>,
    /// What it shows of its author.
    pub shows: Shows,
    /// It is in answer to something.
    pub is_answer: bool,
}

/// A domain to which mail goes and from which it comes.
pub struct Domain<'a> {
    facts: &'a dyn Facts,
    limits: &'a Limits,
    name: String,
}

impl<'a> Domain<'a> {
    /// Domain of this address.
    pub fn of(facts: &'a dyn Facts, limits: &'a Limits, address: &str) -> Option<Self> {
        Some(Self {
            facts,
            limits,
            name: keys::domain(address)?,
        })
    }

    /// The name that it is counted under.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn outgoing(&self) -> String {
        key(&["out ", &self.name])
    }

    fn about(&self, way: Way, subject: &str) -> String {
        key(&[way.word(), &self.name, " # ", subject])
    }

    /// Whether something has gone there within a day that no person is said to have written.
    pub fn is_warm(&self) -> bool {
        self.facts.counted(&self.outgoing(), DAY) > 0
    }

    fn worded(&self, way: Way, content: &Content<'_>) -> Option<String> {
        let body = content.body();
        let text = body.near.map(|_| wording(body.wording))?;
        Some(key(&[way.word(), &self.name, &text]))
    }

    fn repeats(&self) -> String {
        key(&["in ", &self.name, " ="])
    }

    fn held(&self) -> String {
        key(&["held ", &self.name])
    }

    fn fast_key(&self) -> String {
        key(&["fast ", &self.name])
    }

    /// Counts that something goes there, about something.
    pub fn count_out(&self, content: &Content<'_>, decision: &mut Decision) {
        decision.count(self.outgoing(), 1);
        if let Some(subject) = content.subject() {
            decision.count(self.about(Way::Out, subject), 1);
        }
    }

    /// Counts in which words an answer goes there, and whether nobody can have typed it.
    pub fn count_answer(&self, content: &Content<'_>, fast: bool, decision: &mut Decision) {
        if let Some(worded) = self.worded(Way::Out, content) {
            decision.count(worded, 1);
        }
        if fast {
            decision.count(self.fast_key(), 1);
        }
    }

    /// Whether an answer in these words has gone there today.
    pub fn was_told(&self, content: &Content<'_>) -> bool {
        let worded = self.worded(Way::Out, content);
        worded.is_some_and(|worded| self.facts.counted(&worded, DAY) > 0)
    }

    /// Whether strangers from there have said the same again today.
    pub fn have_repeated(&self) -> bool {
        self.facts.counted(&self.repeats(), DAY) > 0
    }

    /// How many answers of today nobody can have typed.
    pub fn fast(&self) -> u64 {
        self.facts.counted(&self.fast_key(), DAY)
    }

    /// Whether a subject of ours goes to and fro with strangers.
    pub fn goes_on_about(&self, content: &Content<'_>) -> bool {
        content.subject().is_some_and(|subject| {
            let pair = [Way::In, Way::Out].map(|way| self.about(way, subject));
            let [coming, going] = &pair;
            counts::reached(self.facts, [coming, going], Way::Out, self.limits.subject)
        })
    }

    /// What this message counts under, each with what goes out, its limit, and what it is in words.
    fn kinds(&self, arrival: &Arrival<'_>) -> Vec<(String, String, u32, &str)> {
        let Arrival {
            content,
            shows,
            is_answer,
        } = arrival;
        let incoming = |tail: &str| key(&["in ", &self.name, tail]);
        let outgoing = self.outgoing();
        let Limits {
            words,
            subject,
            marked,
            domain,
            ..
        } = self.limits;
        let mut kinds = Vec::new();
        match shows {
            Shows::Machine => {
                kinds.push((incoming(" !"), outgoing.clone(), *marked, "by machines"));
            }
            Shows::Nothing => {
                let of = "by nobody's mail program";
                kinds.push((incoming(" ?"), outgoing.clone(), *domain, of));
            }
            Shows::MailProgram => {}
        }
        if let Some(text) = self.worded(Way::In, content) {
            kinds.push((text, outgoing, *words, "in the same words"));
        }
        // Three hundred may ask about one thing, and not one of them answers.
        if let (true, Some(about)) = (is_answer, content.subject()) {
            let ours = self.about(Way::Out, about);
            if self.facts.counted(&ours, DAY) > 0 {
                let theirs = self.about(Way::In, about);
                kinds.push((theirs, ours, *subject, "about one subject"));
            }
        }
        kinds
    }

    /// Why no machine should go on with it, if so.
    pub fn limit_reached(&self, arrival: &Arrival<'_>) -> Option<String> {
        let kinds = self.kinds(arrival).into_iter();
        let mut reached = kinds.filter(|(coming, going, limit, _)| {
            counts::reached(self.facts, [coming, going], Way::In, *limit)
        });
        let (_, _, limit, of) = reached.next()?;
        let name = &self.name;
        Some(format!(
            "{limit} exchanges with ever new addresses {name}, {of}"
        ))
    }

    /// Counts a message from an address of it that was not written to.
    pub fn count_in(&self, arrival: &Arrival<'_>, decision: &mut Decision) {
        for (coming, ..) in self.kinds(arrival) {
            decision.count(coming, 1);
        }
        let worded = self.worded(Way::In, arrival.content);
        if worded.is_some_and(|worded| self.facts.counted(&worded, DAY) > 0) {
            decision.count(self.repeats(), 1);
        }
    }

    /// A limit was reached: what is written to often there, and never answers from that address, is
    /// written to by no machine for a while.
    pub fn hold(&self, decision: &mut Decision) {
        decision.count(self.held(), 1);
    }

    /// Whether it was.
    pub fn is_held(&self) -> bool {
        self.facts.counted(&self.held(), HELD) > 0
    }
}

/// All correspondents of the account that say that they are machines, and are answered.
pub struct MarkedOfAccount<'a> {
    /// Counts as they stood before.
    pub facts: &'a dyn Facts,
    /// The limits.
    pub limits: &'a Limits,
}

impl MarkedOfAccount<'_> {
    const COMING: &'static str = "in * !";
    const GOING: &'static str = "out * !";

    /// Counts one that came in.
    pub fn count_in(&self, decision: &mut Decision) {
        decision.count(Self::COMING, 1);
    }

    /// Counts an answer to one.
    pub fn count_out(&self, decision: &mut Decision) {
        decision.count(Self::GOING, 1);
    }

    /// Why the next is not answered, if so.
    pub fn limit_reached(&self) -> Option<String> {
        let limit = self.limits.account;
        let pair = [Self::COMING, Self::GOING];
        counts::reached(self.facts, pair, Way::Out, limit)
            .then(|| format!("{limit} exchanges of the account with machines"))
    }
}
