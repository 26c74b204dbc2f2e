//! How fast an account answers those to whom nothing went before, and whether it is its answers
//! that bring the next ones.
//!
//! A loop that comes from an address never seen before each time, in other words, naming nothing,
//! is as like to new customers as can be. What tells them apart is cause: where our answers bring
//! in what comes, nothing comes once we do not answer. So past a limit a [`Pace`] asks for silence,
//! which is short where the answers came fast. Who writes into that silence was not brought in by
//! an answer: the account has that many new correspondents, and the limit is set higher for it, for
//! days.
//!
//! What takes its time is found by the night, in which people write little: what goes out day and
//! night has to stand the same for an hour.
//!
//! What is kept for each: what came in and went out, as counts; `usual NAME WINDOW LIMIT`, marked
//! where a limit may be passed; `looked NAME` and `asked NAME`, for the night.

use gatepost_sdk::{Decision, Facts};

use crate::counts::{self, DAY};
use crate::keys::key;

/// A stretch of time with its limit.
struct Window {
    /// What it is called in reasons and keys.
    name: &'static str,
    seconds: u32,
    /// Its limit, in halves of the one for ten minutes.
    halves: u64,
    /// For how long nothing has to have gone out before something came, in seconds: a few times
    /// what a loop that reaches the limit takes for an exchange.
    silence: u32,
}

/// The longer first: where it has nothing, neither has the shorter.
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

/// By how much a limit is set higher.
const HIGHER: u64 = 4;

/// Limits above the first; the last is that of whoever answers five thousand in ten minutes.
const LEVELS: u32 = 6;

/// For how long it is not asked again whether something goes on day and night, in seconds.
const NOT_AGAIN: u32 = 1800;

/// How often something has to have gone out in each four hours of sixteen to go on day and night.
const DAY_AND_NIGHT: u64 = 3;

/// What goes out to whoever writes, and what comes in from whom nothing went to.
pub struct Pace<'a> {
    /// Counts as they stood before.
    pub facts: &'a dyn Facts,
    /// Under which name marks are kept.
    pub name: &'a str,
    /// The key of what comes in.
    pub coming: &'a str,
    /// The key of what goes out.
    pub going: &'a str,
    /// How much may go out in ten minutes; 0 sets it aside.
    pub limit: u32,
    /// For how many days a higher limit holds.
    pub days: u32,
    /// The message that is judged.
    pub message: Judged,
}

/// A message that is judged by a [`Pace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// Comes in. A machine's says nothing where nothing had gone out before: it may come at all
    /// times.
    Arrival {
        /// Whether it may be a person's.
        of_a_person: bool,
    },
    /// Goes out because of what has come in just now.
    Answer,
}

/// What a [`Pace`] says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Why nothing should go out for now, if so: how much did, and in what time.
    pub too_much: Option<String>,
    /// Marks of limits that may be passed, new or to be renewed, each with its seconds.
    usual: Vec<(String, u32)>,
}

impl Found {
    /// Remembers which limits may be passed.
    pub fn remember(self, decision: &mut Decision) {
        for (mark, seconds) in self.usual {
            decision.mark_seen(mark, seconds);
        }
    }
}

impl Window {
    fn limit(&self, limit: u32, level: u32) -> u64 {
        u64::from(limit) * self.halves / 2 * HIGHER.pow(level)
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

    /// Whether something has come of itself: when nothing had gone out for so long.
    fn came_of_itself(&self, silence: u32) -> bool {
        let came = match self.message {
            Judged::Arrival { of_a_person } => of_a_person,
            Judged::Answer => self.counted(self.coming, silence) > 0,
        };
        came && self.counted(self.going, silence) == 0
    }

    /// What it says.
    pub fn look(&self) -> Found {
        let mut found = Found::default();
        if self.limit == 0 {
            return found;
        }
        let mut longer: Option<&Window> = None;
        for window in &WINDOWS {
            let went = self.counted(self.going, window.seconds);
            if went == 0 {
                // It comes of itself, as it does in most accounts at most times.
                self.ends_a_silence(&mut found);
                return found;
            }
            let mut levels = (0..LEVELS).rev();
            if let Some(level) = levels.find(|level| went >= window.limit(self.limit, *level)) {
                self.passes(window, longer, level, &mut found);
            }
            if went < u64::from(self.limit) {
                break;
            }
            longer = Some(window);
        }
        if found.too_much.is_none() {
            self.passes_by_night(&mut found);
        }
        found
    }

    fn passes(&self, window: &Window, longer: Option<&Window>, level: u32, found: &mut Found) {
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
        if !self.came_of_itself(window.silence) {
            found.too_much = Some(format!("{limit} in {}", window.name));
            return;
        }
        found.usual.push((mark, self.seconds()));
        // So many have come of themselves meanwhile: as many as that are usual, and some more.
        let came = self.counted(self.coming, window.silence) * HIGHER;
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

    /// The same of what takes its time: whether it goes on day and night, as no people do. Twice an
    /// hour at most that is looked into, until it is so.
    fn passes_by_night(&self, found: &mut Found) {
        let looked = key(&["looked ", self.name]);
        if self.facts.seen(&looked) {
            return;
        }
        let mut keys = vec![self.going];
        if self.message == Judged::Answer {
            keys.push(self.coming);
        }
        let mut keys = keys.into_iter();
        let usual = key(&["usual ", self.name, " day and night"]);
        let often = keys.all(|key| counts::in_each_quarter(self.facts, key, DAY_AND_NIGHT));
        if !often || self.facts.seen(&usual) {
            found.usual.push((looked, NOT_AGAIN));
        } else {
            let went = self.counted(self.going, DAY);
            found.too_much = Some(format!("{went} by day and night"));
            found.usual.push((self.asked(), DAY));
        }
    }

    /// Something comes when nothing has gone out for an hour: where that was asked for, since
    /// something went out day and night, that it does so is usual.
    fn ends_a_silence(&self, found: &mut Found) {
        let hour = WINDOWS[0].seconds;
        if self.facts.seen(&self.asked()) && self.came_of_itself(hour) {
            let usual = key(&["usual ", self.name, " day and night"]);
            // The loop may have ended, and a customer write by day.
            let seconds = match self.counted(self.coming, hour) >= DAY_AND_NIGHT {
                true => self.seconds(),
                false => DAY,
            };
            found.usual.push((usual, seconds));
        }
    }

    fn asked(&self) -> String {
        key(&["asked ", self.name])
    }

    /// How long a higher limit holds.
    fn seconds(&self) -> u32 {
        self.days * 86_400
    }
}
