//! Exchanges between an account and one correspondent.
//!
//! The keys, by address in canonical form:
//! - `out THEM` and `in THEM` count the messages; behind them, `~` counts those with similar words,
//!   `:` those with the same wording, `=` those that repeat words used before.
//! - `in THEM !` counts messages that say that a machine wrote them.
//! - `after THEM` counts answers by the minutes that they took.
//! - `held THEM` counts that a limit of the domain or thread was reached when they wrote.
//! - `met THEM` counts messages that a person wrote to them.
//! - `since THEM` is a mark for the seconds in which an answer is faster than anybody types.
//!
//! Mail from an address to which nothing went out is not counted here.

use gatepost_sdk::{Decision, Facts};

use crate::content::Content;
use crate::counts::{self, DAY, MailDirection};
use crate::digest;
use crate::elsewhere::MovingAuthor;
use crate::keys::{self, key};
use crate::limits::Limits;

/// Time for which nothing automatic goes to a correspondent with whom a limit of the domain or
/// thread was reached, in seconds.
const HELD_SECONDS: u32 = 2 * 3600;

/// Seconds since a message came in, and the number of words that nobody can have read and typed by
/// then.
const TYPING_TIMES: [(u32, usize); 4] = [(6, 4), (15, 12), (30, 30), (60, 80)];

/// Steps into which the minutes between a message and its answer are sorted; a machine's answers
/// lie in one step and those next to it.
const MINUTE_STEPS: [u32; 18] = [
    1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 28, 34, 40, 48,
];

/// Degree to which a message repeats one of the same direction within a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repeated {
    /// New words.
    No,
    /// Similar words.
    Nearly,
    /// The same words; figures may differ.
    Exactly,
}

/// Correspondent of an account, with the counts.
pub struct Correspondent<'a> {
    facts: &'a dyn Facts,
    limits: &'a Limits,
    /// Address in canonical form.
    pub address: &'a str,
    name: String,
}

impl<'a> Correspondent<'a> {
    /// Creates the correspondent of an address in canonical form.
    pub fn new(facts: &'a dyn Facts, limits: &'a Limits, address: &'a str) -> Self {
        Self {
            facts,
            limits,
            address,
            name: keys::name(address).into_owned(),
        }
    }

    /// Creates the correspondent that stands for a [`MovingAuthor`] who wants the answer at this
    /// address.
    pub fn of_author(
        facts: &'a dyn Facts,
        limits: &'a Limits,
        address: &'a str,
        author: MovingAuthor,
    ) -> Self {
        Self {
            facts,
            limits,
            address,
            name: author.name,
        }
    }

    /// Returns the key that counts mail to them.
    pub fn outgoing_key(&self) -> String {
        self.key(MailDirection::Out, "")
    }

    fn key(&self, direction: MailDirection, tail: &str) -> String {
        key(&[direction.word(), &self.name, tail])
    }

    fn keys_both_ways(&self, tail: &str) -> [String; 2] {
        [
            self.key(MailDirection::In, tail),
            self.key(MailDirection::Out, tail),
        ]
    }

    /// Returns the count of a day under a key of theirs.
    fn counted(&self, direction: MailDirection, tail: &str) -> u64 {
        self.facts.counted(&self.key(direction, tail), DAY)
    }

    /// Returns true if mail without the trigger `agent` has gone out to them within a day.
    pub fn was_written_to(&self) -> bool {
        self.counted(MailDirection::Out, "") > 0
    }

    /// Returns true if a person has written to them within a day.
    pub fn was_written_to_by_person(&self) -> bool {
        self.facts.counted(&self.met_key(), DAY) > 0
    }

    /// Counts that a person wrote to them.
    pub fn count_mail_of_person(&self, decision: &mut Decision) {
        decision.count(self.met_key(), 1);
    }

    /// Returns true if an answer has come from them within a day.
    pub fn has_answered(&self) -> bool {
        self.counted(MailDirection::In, "") > 0
    }

    /// Returns the degree to which a message repeats earlier ones of its direction.
    pub fn repeats(&self, direction: MailDirection, content: &Content<'_>) -> Repeated {
        let body = content.body();
        if self.counted(direction, &wording_tail(body.wording)) > 0 {
            return Repeated::Exactly;
        }
        let bands = body.near.map(band_tails).into_iter().flatten();
        let same = bands.filter(|band| self.counted(direction, band) > 0);
        // Three of four hashes: nearly always equal where nine of ten pairs of words are the same.
        match same.count() + 1 >= digest::HASHES {
            true => Repeated::Nearly,
            false => Repeated::No,
        }
    }

    /// Returns true if they have repeated themselves within a day.
    pub fn have_repeated(&self) -> bool {
        self.counted(MailDirection::In, REPEATED_TAIL) > 0
    }

    /// Returns true if they have said within a day that they are a machine.
    pub fn is_marked(&self) -> bool {
        self.counted(MailDirection::In, MARKED_TAIL) > 0
    }

    /// Returns the reason why no machine should go on with them, if a limit is reached; the message
    /// that is judged counts, and repeats earlier ones to this degree.
    pub fn limit_reached(&self, direction: MailDirection, repeated: Repeated) -> Option<String> {
        let Self { facts, limits, .. } = self;
        let [coming, going] = self.keys_both_ways("");
        if counts::exchanges_reach(*facts, [&coming, &going], direction, limits.correspondent) {
            return Some(format!(
                "{} exchanges with {} without a person",
                limits.correspondent, self.address
            ));
        }
        if repeated > Repeated::No {
            let [coming, going] = self.keys_both_ways(REPEATED_TAIL);
            if counts::exchanges_reach_within(
                *facts,
                [&coming, &going],
                direction,
                DAY,
                limits.repeats,
            ) {
                return Some(format!(
                    "{} exchanges with {} in which both say the same again",
                    limits.repeats, self.address
                ));
            }
        }
        None
    }

    /// Returns true if there were so many exchanges within ten minutes that a submission without a
    /// trigger has to wait.
    pub fn is_hasty(&self) -> bool {
        let [coming, going] = self.keys_both_ways("");
        let pair = [coming.as_str(), going.as_str()];
        counts::exchanges_reach_within(self.facts, pair, MailDirection::Out, 600, self.limits.haste)
    }

    /// Returns true if more mail has gone to them than people send to an address that never
    /// answers.
    pub fn is_written_to_often(&self) -> bool {
        let limit = self.limits.correspondent;
        limit > 0 && counts::count_reaches(self.facts, &self.key(MailDirection::Out, ""), limit)
    }

    /// Returns true if a limit of their domain or thread was reached with them.
    pub fn is_held(&self) -> bool {
        self.facts.counted(&self.held_key(), HELD_SECONDS) > 0
    }

    /// Keeps automatic mail from them for a while.
    pub fn hold(&self, decision: &mut Decision) {
        decision.count(self.held_key(), 1);
    }

    /// Returns true if nobody can have typed this number of words since they last wrote.
    pub fn is_faster_than_typed(&self, words: usize) -> bool {
        let mut each = TYPING_TIMES.iter();
        each.any(|(seconds, least)| words >= *least && self.facts.seen(&self.since_key(*seconds)))
    }

    fn met_key(&self) -> String {
        key(&["met ", &self.name])
    }

    fn held_key(&self) -> String {
        key(&["held ", &self.name])
    }

    fn since_key(&self, seconds: u32) -> String {
        key(&["since ", &seconds.to_string(), " ", &self.name])
    }

    /// Returns the step of [`MINUTE_STEPS`] that has passed since they last wrote; none if it is
    /// longer ago.
    fn minute_step(&self) -> Option<usize> {
        let coming = self.key(MailDirection::In, "");
        let passed =
            MINUTE_STEPS.partition_point(|minutes| self.facts.counted(&coming, minutes * 60) == 0);
        (passed < MINUTE_STEPS.len()).then_some(passed)
    }

    /// Returns the number of answers of the day that took as long as this one, if nearly all did; 0
    /// if the times differ, as people's do.
    pub fn evenly_timed_answers(&self) -> u64 {
        let Some(minutes) = self.minute_step() else {
            return 0;
        };
        let near = minutes.saturating_sub(1)..=minutes + 1;
        let same: u64 = near
            .map(|minutes| self.facts.counted(&self.after_key(minutes), DAY))
            .sum();
        // People in haste answer within the same few minutes too: those count a third.
        let enough = if minutes < 3 { same / 3 } else { same };
        let all = self.counted(MailDirection::Out, "");
        if same * 5 >= all * 4 { enough } else { 0 }
    }

    fn after_key(&self, minutes: usize) -> String {
        key(&["after ", &self.name, " ", &minutes.to_string()])
    }

    /// Returns true if both sides have written three times in each four hours of the last sixteen,
    /// as no person does.
    pub fn never_sleeps(&self) -> bool {
        let mut both = self.keys_both_ways("").into_iter();
        both.all(|key| counts::in_each_quarter(self.facts, &key, 3))
    }

    /// Counts a message from them; `marked` if it says that a machine wrote it.
    pub fn count_in(
        &self,
        content: &Content<'_>,
        repeated: Repeated,
        marked: bool,
        decision: &mut Decision,
    ) {
        self.count_stranger(marked, decision);
        self.count_words(MailDirection::In, content, repeated, decision);
    }

    /// Counts a message from an address to which nothing went.
    pub fn count_stranger(&self, marked: bool, decision: &mut Decision) {
        decision.count(self.key(MailDirection::In, ""), 1);
        if marked {
            decision.count(self.key(MailDirection::In, MARKED_TAIL), 1);
        }
        for (seconds, _) in TYPING_TIMES {
            decision.mark_seen(self.since_key(seconds), seconds);
        }
    }

    /// Counts a message to them.
    pub fn count_out(&self, decision: &mut Decision) {
        decision.count(self.key(MailDirection::Out, ""), 1);
    }

    /// Counts the words of an answer to them, and the time that it took.
    pub fn count_answer(&self, content: &Content<'_>, repeated: Repeated, decision: &mut Decision) {
        self.count_words(MailDirection::Out, content, repeated, decision);
        if let Some(minutes) = self.minute_step() {
            decision.count(self.after_key(minutes), 1);
        }
    }

    fn count_words(
        &self,
        direction: MailDirection,
        content: &Content<'_>,
        repeated: Repeated,
        decision: &mut Decision,
    ) {
        let body = content.body();
        for band in body.near.map(band_tails).into_iter().flatten() {
            decision.count(self.key(direction, &band), 1);
        }
        decision.count(self.key(direction, &wording_tail(body.wording)), 1);
        if repeated > Repeated::No {
            decision.count(self.key(direction, REPEATED_TAIL), 1);
        }
    }

    /// Forgets the exchanges, since a person has written.
    pub fn forget_exchanges(&self, decision: &mut Decision) {
        for tail in ["", REPEATED_TAIL] {
            for key in self.keys_both_ways(tail) {
                decision.forget_count(key);
            }
        }
        decision.forget_count(self.held_key());
        for minutes in 0..MINUTE_STEPS.len() {
            let after = self.after_key(minutes);
            if self.facts.counted(&after, DAY) > 0 {
                decision.forget_count(after);
            }
        }
    }
}

/// Tail of keys that count repetitions.
const REPEATED_TAIL: &str = " =";

/// Tail of keys that count messages which say that a machine wrote them.
const MARKED_TAIL: &str = " !";

fn band_tails(near: [u32; digest::HASHES]) -> [String; digest::HASHES] {
    let mut which = 0..;
    near.map(|hash| format!(" ~ {}{hash:08x}", which.next().unwrap_or_default()))
}

/// Returns the tail of keys that count a wording.
pub fn wording_tail(text: u64) -> String {
    format!(" : {text:016x}")
}
