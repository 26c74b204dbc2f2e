//! Pace at which an account answers addresses to which nothing went before, and whether its answers
//! bring the next messages.
//!
//! A loop whose messages come from a new address each time, in other words, and name no earlier
//! message, looks like new customers. Cause tells them apart: if our answers bring the messages,
//! nothing comes once we stop answering. So past a limit a [`Pace`] asks for silence, a short one
//! if the answers went out fast. Mail that comes during the silence was not brought by an answer:
//! the account has that many new correspondents, and its limit is raised for days.
//!
//! Slow loops are found by the night, in which people write little: if mail goes out day and night,
//! an hour of silence is asked for in the same way.
//!
//! The keys: counts of incoming and outgoing mail; `usual NAME WINDOW LIMIT`, a mark if a limit may
//! be passed; `looked NAME` and `asked NAME`, marks of the check by night.

use gatepost_sdk::{Decision, Facts};

use crate::counts::{self, DAY};
use crate::keys::key;

/// Length of time with its limit.
struct Window {
    /// Name in reasons and keys.
    name: &'static str,
    seconds: u32,
    /// Limit, in halves of the one for ten minutes.
    halves: u64,
    /// Seconds without an outgoing message before one came in that show that no answer brought it:
    /// a few times what a loop at the limit takes for an exchange.
    silence: u32,
}

/// Windows, the longer one first: if nothing went out in it, nothing did in the shorter.
const WINDOWS: [Window; 2] = [
    Window {
        name: "an hour",
        seconds: 3600,
        halves: 3,
        silence: 600,
    },
    Window {
        name: "ten minutes",
        seconds: 600,
        halves: 2,
        silence: 120,
    },
];

/// Factor by which a limit is raised from one level to the next.
const LEVEL_FACTOR: u64 = 4;

/// Number of levels; the last stands for several thousand answers in ten minutes.
const LEVELS: u32 = 6;

/// Time between two checks for mail by day and night, in seconds.
const RECHECK_SECONDS: u32 = 1800;

/// Least number of messages in each four hours of the last sixteen that count as day and night.
const DAY_AND_NIGHT_LEAST: u64 = 3;

/// Comparison of outgoing answers with incoming mail from addresses to which nothing went.
pub struct Pace<'a> {
    /// Counts as they stood before.
    pub facts: &'a dyn Facts,
    /// Name in the keys of marks.
    pub name: &'a str,
    /// Key that counts incoming mail.
    pub coming: &'a str,
    /// Key that counts outgoing mail.
    pub going: &'a str,
    /// Most messages that may go out in ten minutes; 0 turns the limit off.
    pub limit: u32,
    /// Days for which a raised limit holds.
    pub days: u32,
    /// Message that is judged.
    pub message: JudgedMessage,
}

/// Message that is judged by a [`Pace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgedMessage {
    /// Incoming message. A machine's proves nothing by coming into a silence: it may come at all
    /// times.
    Arrival {
        /// True if a person may have written it.
        of_a_person: bool,
    },
    /// Outgoing message in answer to one that has just come in.
    Answer,
}

/// Judgement of a [`Pace`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PaceJudgement {
    /// Number of messages that went out, and in what time, if nothing more should go out for now.
    pub too_much: Option<String>,
    /// Marks of limits that may be passed, new or to be renewed, each with its seconds.
    usual: Vec<(String, u32)>,
}

impl PaceJudgement {
    /// Remembers the limits that may be passed.
    pub fn remember(self, decision: &mut Decision) {
        for (mark, seconds) in self.usual {
            decision.mark_seen(mark, seconds);
        }
    }
}

impl Window {
    fn limit(&self, limit: u32, level: u32) -> u64 {
        u64::from(limit) * self.halves / 2 * LEVEL_FACTOR.pow(level)
    }
}

impl Pace<'_> {
    fn counted(&self, key: &str, seconds: u32) -> u64 {
        self.facts.counted(key, seconds)
    }

    fn mark(&self, window: &Window, level: u32) -> String {
        let limit = window.limit(self.limit, level).to_string();
        key(&["usual ", self.name, " ", window.name, " ", &limit])
    }

    /// Returns true if a message has come that no answer brought: nothing had gone out for this
    /// number of seconds.
    fn came_unprompted(&self, silence: u32) -> bool {
        let came = match self.message {
            JudgedMessage::Arrival { of_a_person } => of_a_person,
            JudgedMessage::Answer => self.counted(self.coming, silence) > 0,
        };
        came && self.counted(self.going, silence) == 0
    }

    /// Compares the counts with the limits.
    pub fn judge(&self) -> PaceJudgement {
        let mut found = PaceJudgement::default();
        if self.limit == 0 {
            return found;
        }
        let mut longer: Option<&Window> = None;
        for window in &WINDOWS {
            let went = self.counted(self.going, window.seconds);
            if went == 0 {
                // No answer brought it, as in most accounts at most times.
                self.note_end_of_silence(&mut found);
                return found;
            }
            let mut levels = (0..LEVELS).rev();
            if let Some(level) = levels.find(|level| went >= window.limit(self.limit, *level)) {
                self.check_window(window, longer, level, &mut found);
            }
            if went < u64::from(self.limit) {
                break;
            }
            longer = Some(window);
        }
        if found.too_much.is_none() {
            self.check_day_and_night(&mut found);
        }
        found
    }

    fn check_window(
        &self,
        window: &Window,
        longer: Option<&Window>,
        level: u32,
        found: &mut PaceJudgement,
    ) {
        let mark = self.mark(window, level);
        let usual = |mark: &str| self.facts.seen(mark);
        if usual(&mark) || longer.is_some_and(|longer| usual(&self.mark(longer, level))) {
            found.usual.push((mark, self.seconds()));
            return;
        }
        let limit = window.limit(self.limit, level);
        if self.counted(self.coming, window.seconds) < limit {
            return;
        }
        if !self.came_unprompted(window.silence) {
            found.too_much = Some(format!("{limit} in {}", window.name));
            return;
        }
        found.usual.push((mark, self.seconds()));
        // This number came without an answer: it is usual, with some margin.
        let came = self.counted(self.coming, window.silence) * LEVEL_FACTOR;
        for window in &WINDOWS {
            for level in 0..LEVELS {
                let mark = self.mark(window, level);
                let mark = (mark, self.seconds());
                if window.limit(self.limit, level) <= came && !found.usual.contains(&mark) {
                    found.usual.push(mark);
                }
            }
        }
    }

    /// Asks for silence if mail goes out day and night, as no people write. Checks at most twice an
    /// hour, until it does.
    fn check_day_and_night(&self, found: &mut PaceJudgement) {
        let looked = key(&["looked ", self.name]);
        if self.facts.seen(&looked) {
            return;
        }
        let mut keys = vec![self.going];
        if self.message == JudgedMessage::Answer {
            keys.push(self.coming);
        }
        let mut keys = keys.into_iter();
        let usual = key(&["usual ", self.name, " day and night"]);
        let often = keys.all(|key| counts::in_each_quarter(self.facts, key, DAY_AND_NIGHT_LEAST));
        if !often || self.facts.seen(&usual) {
            found.usual.push((looked, RECHECK_SECONDS));
        } else {
            let went = self.counted(self.going, DAY);
            found.too_much = Some(format!("{went} by day and night"));
            found.usual.push((self.asked_key(), DAY));
        }
    }

    /// Allows mail by day and night if a message comes in during the hour of silence that was asked
    /// for.
    fn note_end_of_silence(&self, found: &mut PaceJudgement) {
        let hour = WINDOWS[0].seconds;
        if self.facts.seen(&self.asked_key()) && self.came_unprompted(hour) {
            let usual = key(&["usual ", self.name, " day and night"]);
            // With less, the loop may have ended, and a customer has written.
            let seconds = match self.counted(self.coming, hour) >= DAY_AND_NIGHT_LEAST {
                true => self.seconds(),
                false => DAY,
            };
            found.usual.push((usual, seconds));
        }
    }

    fn asked_key(&self) -> String {
        key(&["asked ", self.name])
    }

    /// Returns the seconds for which a raised limit holds.
    fn seconds(&self) -> u32 {
        self.days * 86_400
    }
}
