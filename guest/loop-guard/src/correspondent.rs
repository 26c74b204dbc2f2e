//! What goes on between an account and one correspondent of it.
//!
//! What is counted, by address in canonical form: `out THEM` and `in THEM`, and behind that with
//! `~` what the words are near to, with `:` the wording, with `=` what is in words that were used
//! before; `in THEM !` what says that a machine wrote it; `after THEM` with the minutes until an answer;
//! `held THEM` that a limit of their domain or thread was reached as they wrote; `met THEM` that a person
//! wrote to them. `since THEM` is marked for the seconds in which an
//! answer is faster than anybody types. Of mail that comes in where nothing went out nothing is counted
//! here.

use gatepost_sdk::{Decision, Facts};

use crate::content::Content;
use crate::counts::{self, DAY, Way};
use crate::digest;
use crate::elsewhere::Author;
use crate::keys::{self, key};
use crate::limits::Limits;

/// For how long nothing automatic goes to whom a limit of the domain was reached with, in seconds.
const HELD: u32 = 2 * 3600;

/// How soon after a message came in an answer may be, in seconds, and how many words nobody can have
/// read and typed by then.
const TYPED: [(u32, usize); 4] = [(6, 4), (15, 12), (30, 30), (60, 80)];

/// Minutes between a message and the answer that are told apart; those next to each other are the
/// same for a machine.
const MINUTES: [u32; 18] = [
    1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 28, 34, 40, 48,
];

/// How much of a message was said before, this way and within a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repeated {
    /// Nothing that counts.
    No,
    /// Nearly the same words.
    Nearly,
    /// The same words; figures may differ.
    Exactly,
}

/// One correspondent, as counted.
pub struct Correspondent<'a> {
    facts: &'a dyn Facts,
    limits: &'a Limits,
    /// Who, in canonical form.
    pub address: &'a str,
    name: String,
}

impl<'a> Correspondent<'a> {
    /// Correspondent of this address, in canonical form.
    pub fn new(facts: &'a dyn Facts, limits: &'a Limits, address: &'a str) -> Self {
        Self {
            facts,
            limits,
            address,
            name: keys::name(address).into_owned(),
        }
    }

    /// Correspondent that an [`Author`] is, who wants the answer at this address.
    pub fn author(
        facts: &'a dyn Facts,
        limits: &'a Limits,
        address: &'a str,
        author: Author,
    ) -> Self {
        Self {
            facts,
            limits,
            address,
            name: author.name,
        }
    }

    /// The key of what goes out to them.
    pub fn outgoing(&self) -> String {
        self.key(Way::Out, "")
    }

    fn key(&self, way: Way, tail: &str) -> String {
        key(&[way.word(), &self.name, tail])
    }

    fn both(&self, tail: &str) -> [String; 2] {
        [self.key(Way::In, tail), self.key(Way::Out, tail)]
    }

    /// How much was counted of them in a day.
    fn counted(&self, way: Way, tail: &str) -> u64 {
        self.facts.counted(&self.key(way, tail), DAY)
    }

    /// Whether something has gone out to them within a day that no person is said to have written.
    pub fn is_warm(&self) -> bool {
        self.counted(Way::Out, "") > 0
    }

    /// Whether a person has written to them within a day.
    pub fn is_met(&self) -> bool {
        self.facts.counted(&self.met(), DAY) > 0
    }

    /// Counts that a person wrote to them.
    pub fn meet(&self, decision: &mut Decision) {
        decision.count(self.met(), 1);
    }

    /// Whether something has come from them in answer, within a day.
    pub fn has_answered(&self) -> bool {
        self.counted(Way::In, "") > 0
    }

    /// How much of this they, or we, have said before.
    pub fn repeats(&self, way: Way, content: &Content<'_>) -> Repeated {
        let body = content.body();
        if self.counted(way, &wording(body.wording)) > 0 {
            return Repeated::Exactly;
        }
        let bands = body.near.map(bands).into_iter().flatten();
        let same = bands.filter(|band| self.counted(way, band) > 0);
        // Three of four: where nine pairs of words of ten are the same it nearly always is so.
        match same.count() + 1 >= digest::HASHES {
            true => Repeated::Nearly,
            false => Repeated::No,
        }
    }

    /// Whether they have said the same again today.
    pub fn have_repeated(&self) -> bool {
        self.counted(Way::In, REPEATS) > 0
    }

    /// Whether they have said today that they are a machine.
    pub fn is_marked(&self) -> bool {
        self.counted(Way::In, MARKED) > 0
    }

    /// Why no machine should go on with them, if so; with the message that is judged, which says
    /// so much of what was said before.
    pub fn limit_reached(&self, way: Way, repeated: Repeated) -> Option<String> {
        let Self { facts, limits, .. } = self;
        let [coming, going] = self.both("");
        if counts::reached(*facts, [&coming, &going], way, limits.correspondent) {
            return Some(format!(
                "{} exchanges with {} without a person",
                limits.correspondent, self.address
            ));
        }
        if repeated > Repeated::No {
            let [coming, going] = self.both(REPEATS);
            if counts::within(*facts, [&coming, &going], way, DAY, limits.repeats) {
                return Some(format!(
                    "{} exchanges with {} in which both say the same again",
                    limits.repeats, self.address
                ));
            }
        }
        None
    }

    /// Whether so much went to and fro within ten minutes that what does not say who wrote it waits.
    pub fn is_hasty(&self) -> bool {
        let [coming, going] = self.both("");
        let pair = [coming.as_str(), going.as_str()];
        counts::within(self.facts, pair, Way::Out, 600, self.limits.haste)
    }

    /// Whether more has gone to them than people send to who never answers from there.
    pub fn is_written_to_often(&self) -> bool {
        let limit = self.limits.correspondent;
        limit > 0 && counts::amounts_to(self.facts, &self.key(Way::Out, ""), limit)
    }

    /// Whether a limit of their domain was reached with them.
    pub fn is_held(&self) -> bool {
        self.facts.counted(&self.held(), HELD) > 0
    }

    /// From now on nothing automatic goes to them for a while.
    pub fn hold(&self, decision: &mut Decision) {
        decision.count(self.held(), 1);
    }

    /// Whether nobody can have typed so many words since they wrote.
    pub fn is_faster_than_typed(&self, words: usize) -> bool {
        let mut each = TYPED.iter();
        each.any(|(seconds, least)| words >= *least && self.facts.seen(&self.since(*seconds)))
    }

    fn met(&self) -> String {
        key(&["met ", &self.name])
    }

    fn held(&self) -> String {
        key(&["held ", &self.name])
    }

    fn since(&self, seconds: u32) -> String {
        key(&["since ", &seconds.to_string(), " ", &self.name])
    }

    /// Which of [`MINUTES`] have passed since they wrote last; nothing where it is longer ago.
    fn minutes(&self) -> Option<usize> {
        let coming = self.key(Way::In, "");
        let passed =
            MINUTES.partition_point(|minutes| self.facts.counted(&coming, minutes * 60) == 0);
        (passed < MINUTES.len()).then_some(passed)
    }

    /// How many answers of today took as long as this one does, nearly all of them; 0 where they
    /// took now longer and now less, as people's do.
    pub fn regular(&self) -> u64 {
        let Some(minutes) = self.minutes() else {
            return 0;
        };
        let near = minutes.saturating_sub(1)..=minutes + 1;
        let same: u64 = near
            .map(|minutes| self.facts.counted(&self.after(minutes), DAY))
            .sum();
        // Haste is people's as well: what is told to the minute has to be some minutes.
        let enough = if minutes < 3 { same / 3 } else { same };
        let all = self.counted(Way::Out, "");
        if same * 5 >= all * 4 { enough } else { 0 }
    }

    fn after(&self, minutes: usize) -> String {
        key(&["after ", &self.name, " ", &minutes.to_string()])
    }

    /// Whether both have written three times in each four hours of sixteen: no person does.
    pub fn never_sleeps(&self) -> bool {
        let mut both = self.both("").into_iter();
        both.all(|key| counts::in_each_quarter(self.facts, &key, 3))
    }

    /// Counts that a message came from them: `marked` where it says that a machine wrote it.
    pub fn count_in(
        &self,
        content: &Content<'_>,
        repeated: Repeated,
        marked: bool,
        decision: &mut Decision,
    ) {
        self.count_stranger(marked, decision);
        self.count_words(Way::In, content, repeated, decision);
    }

    /// Counts that a message came from one who was not written to.
    pub fn count_stranger(&self, marked: bool, decision: &mut Decision) {
        decision.count(self.key(Way::In, ""), 1);
        if marked {
            decision.count(self.key(Way::In, MARKED), 1);
        }
        for (seconds, _) in TYPED {
            decision.mark_seen(self.since(seconds), seconds);
        }
    }

    /// Counts that a message goes to them.
    pub fn count_out(&self, decision: &mut Decision) {
        decision.count(self.key(Way::Out, ""), 1);
    }

    /// Counts in which words it goes to them, and how soon.
    pub fn count_answer(&self, content: &Content<'_>, repeated: Repeated, decision: &mut Decision) {
        self.count_words(Way::Out, content, repeated, decision);
        if let Some(minutes) = self.minutes() {
            decision.count(self.after(minutes), 1);
        }
    }

    fn count_words(
        &self,
        way: Way,
        content: &Content<'_>,
        repeated: Repeated,
        decision: &mut Decision,
    ) {
        let body = content.body();
        for band in body.near.map(bands).into_iter().flatten() {
            decision.count(self.key(way, &band), 1);
        }
        decision.count(self.key(way, &wording(body.wording)), 1);
        if repeated > Repeated::No {
            decision.count(self.key(way, REPEATS), 1);
        }
    }

    /// A person has written: all begins anew.
    pub fn begin_anew(&self, decision: &mut Decision) {
        for tail in ["", REPEATS] {
            for key in self.both(tail) {
                decision.forget_count(key);
            }
        }
        decision.forget_count(self.held());
        for minutes in 0..MINUTES.len() {
            let after = self.after(minutes);
            if self.facts.counted(&after, DAY) > 0 {
                decision.forget_count(after);
            }
        }
    }
}

/// The tail of what is in words that were used before.
const REPEATS: &str = " =";

/// The tail of what says that a machine wrote it.
const MARKED: &str = " !";

fn bands(near: [u32; digest::HASHES]) -> [String; digest::HASHES] {
    let mut which = 0..;
    near.map(|hash| format!(" ~ {}{hash:08x}", which.next().unwrap_or_default()))
}

/// The tail of a text.
pub fn wording(text: u64) -> String {
    format!(" : {text:016x}")
}
