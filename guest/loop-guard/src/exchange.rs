//! How often two have written to and fro, and what is counted of it.
//!
//! What is counted, by address in canonical form: `out THEM` and `in THEM` for one sender, the same
//! with ` > US` behind it for a pair, and behind that with `# DIGEST` of the subject, `~ HASH` of what
//! the body is near to, `: HASH` of its wording and of its whole, and `=` of what is in the words of one
//! before. In the place of a long address stands its hash. `hot` stands before what reached the first step of its ladder. Nothing is counted of mail that
//! comes in where nothing went out: most mail costs one look-up for each correspondent.

use std::borrow::Cow;

use gatepost_sdk::header::Subject;
use gatepost_sdk::{Decision, Facts, bounds};

use crate::digest::{self, Digest};
use crate::head::{Field, Head};
use crate::ladder::{DAY, Ladder, Step};
use crate::settings::Settings;
use crate::subject;

/// Pairs of correspondents of one message whose exchange is looked into and counted. A loop has one
/// or two; each costs some twenty look-ups, and a message may have a thousand recipients.
pub const PAIRS: usize = 16;

/// Recipients of one message to whom it is counted that something has gone out: with what is counted of
/// [`PAIRS`] as many as [are remembered](bounds::REMEMBERED).
pub const SENT: usize = 200;

/// Octets of an address as it stands in keys; a longer one is hashed, once for all its keys.
const LONGEST_NAME: usize = 48;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    In,
    Out,
}

impl Way {
    /// What its counts begin with.
    fn word(self) -> &'static str {
        match self {
            Self::In => "in ",
            Self::Out => "out ",
        }
    }
}

/// What a message says, as far as it matters to exchanges; found when it is asked for.
pub struct Content<'a> {
    head: &'a Head<'a>,
    subject: std::cell::OnceCell<Option<String>>,
    body: std::cell::OnceCell<Digest>,
}

impl<'a> Content<'a> {
    /// What this message says.
    pub fn of(head: &'a Head<'a>) -> Self {
        Self {
            head,
            subject: Default::default(),
            body: Default::default(),
        }
    }

    /// What stands for its subject in keys.
    fn subject(&self) -> Option<&str> {
        let find = || {
            let subject: Subject = self.head.read(Field::Subject)?;
            let subject = subject::normalised(&subject.0);
            (!subject.is_empty()).then(|| format!("{:016x}", digest::hash(subject.as_bytes())))
        };
        self.subject.get_or_init(find).as_deref()
    }

    /// The digest of its body.
    fn body(&self) -> &Digest {
        let find = || digest::of(self.head.beginning());
        self.body.get_or_init(find)
    }
}

/// The most that is to be done about a message between two, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How far up.
    pub step: Step,
    /// In a sentence, where it is up at all.
    pub reason: String,
    /// What has been reached that holds for the day.
    hot: Vec<String>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            step: Step::None,
            reason: String::new(),
            hot: Vec::new(),
        }
    }
}

/// One kind of exchange.
struct Kind<'a> {
    ladder: &'a Ladder,
    /// What is counted of the message: under this, or where there are several under all but one.
    tails: &'a [String],
    /// What is counted of the other way: an answer need not be in the same words, nor about the
    /// same subject.
    other: &'a str,
    /// In words.
    of: &'a str,
    /// People repeat themselves: what comes in is not refused for it.
    repeats: bool,
}

/// What goes on between one of ours and one of theirs.
pub struct Exchange<'a> {
    settings: &'a Settings,
    facts: &'a dyn Facts,
    way: Way,
    them: &'a str,
    us: &'a str,
    /// What their counts go by.
    sender: String,
    /// What the counts of the two go by.
    pair: String,
}

impl<'a> Exchange<'a> {
    /// A message between these two, in canonical form.
    pub fn between(
        settings: &'a Settings,
        facts: &'a dyn Facts,
        way: Way,
        them: &'a str,
        us: &'a str,
    ) -> Self {
        Self {
            settings,
            facts,
            way,
            them,
            us,
            sender: name(them).into_owned(),
            pair: format!("{} > {}", name(them), name(us)),
        }
    }

    /// Whether something has gone out to them within a day that no person wrote.
    pub fn is_warm(facts: &dyn Facts, them: &str) -> bool {
        facts.counted(&key(&["out ", &name(them)]), DAY) > 0
    }

    /// How many exchanges there are with this message: of messages of its own kind this way, and
    /// of those that the other way matter to it.
    fn exchanges(&self, own: &str, other: &str, seconds: u32) -> u64 {
        let counted = |what: &str, tail: &str| self.facts.counted(&key(&[what, tail]), seconds);
        match self.way {
            Way::In => (counted("in ", own) + 1).min(counted("out ", other)),
            Way::Out => (counted("in ", other) + 1).min(counted("out ", own) + 1),
        }
    }

    /// How far up this message is.
    pub fn find(&self, content: &Content<'_>) -> Found {
        let Settings {
            pair,
            sender,
            subject,
            body,
            echo,
            ..
        } = self.settings;
        let mut found = Found::default();
        let all = Kind {
            ladder: sender,
            tails: std::slice::from_ref(&self.sender),
            other: &self.sender,
            of: self.them,
            repeats: false,
        };
        let all = self.climb(&all, u64::MAX, &mut found);
        let two = format!("{} and {}", self.us, self.them);
        let tail = &self.pair;
        let both = Kind {
            ladder: pair,
            tails: std::slice::from_ref(tail),
            other: tail,
            of: &two,
            repeats: false,
        };
        let in_a_day = self.climb(&both, all, &mut found);
        // There are never more exchanges of one kind than there are of all.
        let may = |ladder: &Ladder| ladder.lowest().is_some_and(|lowest| in_a_day >= lowest);
        if may(subject)
            && let Some(of) = content.subject()
        {
            let kind = Kind {
                ladder: subject,
                tails: &[format!("{tail} # {of}")],
                of: &format!("{two} about one subject"),
                repeats: true,
                ..both
            };
            self.climb(&kind, in_a_day, &mut found);
        }
        if may(body)
            && let Some(words) = content.body().near
        {
            let kind = Kind {
                ladder: body,
                tails: &word_tails(tail, words),
                of: &format!("{two} in nearly the same words"),
                repeats: true,
                ..both
            };
            self.climb(&kind, in_a_day, &mut found);
        }
        // What makes haste has to wait first: an echo is for what takes its time.
        let waits = found.step >= Step::Tempfail;
        if !waits && may(echo) && self.was_worded_before(content) {
            let tail = echoes(tail);
            let kind = Kind {
                ladder: echo,
                tails: std::slice::from_ref(&tail),
                other: &tail,
                of: &format!("{two} that say the same again"),
                repeats: true,
            };
            self.climb(&kind, in_a_day, &mut found);
        }
        // A person has something new to say and is taken, whatever went to and fro before.
        let comes = self.way == Way::In;
        if comes && found.step == Step::Reject && !self.was_said_before(content) {
            found.step = Step::Suppress;
        }
        found
    }

    /// Whether this went this way between these two within a day.
    fn has_gone(&self, tail: &str) -> bool {
        self.facts.counted(&key(&[self.way.word(), tail]), DAY) > 0
    }

    /// Whether the same words did: in a machine's, figures may differ.
    fn was_worded_before(&self, content: &Content<'_>) -> bool {
        self.has_gone(&text_tail(&self.pair, content.body().wording))
    }

    /// Whether the same did, figures and all.
    fn was_said_before(&self, content: &Content<'_>) -> bool {
        self.has_gone(&text_tail(&self.pair, content.body().whole))
    }

    /// Looks at one ladder; the exchanges of the day, at most so many.
    fn climb(&self, kind: &Kind<'_>, at_most: u64, found: &mut Found) -> u64 {
        let Kind {
            ladder,
            tails,
            other,
            of,
            repeats,
        } = kind;
        let most = |seconds| {
            let each = tails.iter();
            let each = each.map(|tail| self.exchanges(tail, other, seconds));
            let mut each: Vec<_> = each.collect();
            each.sort_unstable();
            // What all but one of them say.
            let all_but_one = each.get(usize::from(each.len() > 1));
            all_but_one.copied().unwrap_or_default().min(at_most)
        };
        let in_a_day = most(DAY);
        if ladder.lowest().is_none_or(|lowest| in_a_day < lowest) {
            return in_a_day;
        }
        let recent = most(ladder.window());
        let hot = || {
            let mut keys = tails.iter().map(|tail| key(&["hot ", tail]));
            keys.any(|key| self.facts.counted(&key, DAY) > 0)
        };
        let step = match ladder.step(recent, in_a_day, hot) {
            Step::Reject if *repeats && self.way == Way::In => Step::Suppress,
            step => step,
        };
        if ladder.heats(recent) {
            let keys = tails.iter().map(|tail| key(&["hot ", tail]));
            found.hot.extend(keys);
        }
        if step > found.step {
            found.step = step;
            found.reason = match ladder.heats(recent) {
                true => format!(
                    "{recent} exchanges of {of} in {} minutes without a person",
                    ladder.minutes
                ),
                false => format!("{in_a_day} exchanges of {of} in a day without a person"),
            };
        }
        in_a_day
    }

    /// Counts the message for these two, once it is accepted.
    pub fn count_pair(&self, content: &Content<'_>, found: &Found, decision: &mut Decision) {
        let way = self.way.word();
        let tail = self.pair.as_str();
        decision.count(key(&[way, tail]), 1);
        // Until they have answered there is no exchange, and nothing else to tell.
        let answered = || self.facts.counted(&key(&["in ", &self.sender]), DAY) > 0;
        if self.way == Way::In || answered() {
            if let Some(subject) = content.subject() {
                decision.count(key(&[way, &format!("{tail} # {subject}")]), 1);
            }
            let Digest {
                near,
                wording,
                whole,
            } = *content.body();
            for tail in near.into_iter().flat_map(|words| word_tails(tail, words)) {
                decision.count(key(&[way, &tail]), 1);
            }
            decision.count(key(&[way, &text_tail(tail, wording)]), 1);
            if whole != wording {
                decision.count(key(&[way, &text_tail(tail, whole)]), 1);
            }
            if self.was_worded_before(content) {
                decision.count(key(&[way, &echoes(tail)]), 1);
            }
        }
        for hot in &found.hot {
            decision.count(hot, 1);
        }
    }

    /// Counts the message for them, once it is accepted.
    pub fn count_sender(way: Way, them: &str, decision: &mut Decision) {
        decision.count(key(&[way.word(), &name(them)]), 1);
    }

    /// A person has written: all begins anew.
    pub fn forget(&self, decision: &mut Decision) {
        for tail in [&self.sender, &self.pair] {
            for what in ["in ", "out ", "hot "] {
                decision.forget_count(key(&[what, tail]));
            }
        }
    }
}

fn word_tails(pair: &str, words: [u32; digest::HASHES]) -> [String; digest::HASHES] {
    let mut which = 0..;
    words.map(|hash| format!("{pair} ~ {}{hash:08x}", which.next().unwrap_or_default()))
}

/// Of a text.
fn text_tail(pair: &str, text: u64) -> String {
    format!("{pair} : {text:016x}")
}

/// Of what is in the words of one before.
fn echoes(pair: &str) -> String {
    format!("{pair} =")
}

/// An address as it stands in keys: as it is, or its hash.
fn name(address: &str) -> Cow<'_, str> {
    match address.len() <= LONGEST_NAME {
        true => Cow::Borrowed(address),
        false => bounds::hashed(address),
    }
}

/// A key of counts and marks: as it reads, or hashed where it is too long for one.
pub fn key(parts: &[&str]) -> String {
    let key = parts.concat();
    match bounds::key(&key) {
        Cow::Borrowed(_) => key,
        Cow::Owned(hashed) => hashed,
    }
}
