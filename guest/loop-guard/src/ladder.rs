//! What becomes of an exchange that goes on without a person: first no machine may answer, then it
//! has to wait, then it ends.
//!
//! An exchange is a to and fro. What goes out is counted unless a person wrote it, and what comes in
//! is counted as an answer once something has gone out; there have been as many exchanges as the
//! rarer of the two. So a burst of mail in one direction is none.
//!
//! Counts are only applied to what is accepted: while something has to wait, nothing is counted. So the
//! last step looks at the whole day, and only on a day on which the first was reached: what made
//! haste once, has waited and comes again without a person having written, is refused.

/// The longest window that is counted, in seconds.
pub const DAY: u32 = 24 * 3600;

/// The steps, and how many exchanges lead to each.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ladder {
    /// The time in which exchanges count towards the first two steps, in minutes.
    #[schemars(range(min = 1, max = 1440))]
    pub minutes: u32,
    /// From so many on no machine may answer, and automatic mail is not sent; 0 for never.
    #[schemars(range(max = 1000))]
    pub suppress: u32,
    /// From so many on mail that may be automatic is refused for now; 0 for never.
    #[schemars(range(max = 1000))]
    pub tempfail: u32,
    /// From so many on, in a day on which the first step was reached, it is refused; 0 for never.
    #[schemars(range(max = 1000))]
    pub reject: u32,
}

/// How far up an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// On the ground.
    None,
    /// No machine may answer, and nothing automatic is sent.
    Suppress,
    /// Not now.
    Tempfail,
    /// No more.
    Reject,
}

impl Ladder {
    /// One with steps at so many exchanges.
    pub const fn new(minutes: u32, [suppress, tempfail, reject]: [u32; 3]) -> Self {
        Self {
            minutes,
            suppress,
            tempfail,
            reject,
        }
    }

    /// What is wrong with it that the schema cannot say.
    pub fn problem(&self) -> Option<String> {
        let steps = [self.suppress, self.tempfail, self.reject];
        let taken: Vec<_> = steps.into_iter().filter(|step| *step > 0).collect();
        let sorted = taken.is_sorted();
        (!sorted).then(|| {
            "suppress must not be more than tempfail, and tempfail not more than reject".to_owned()
        })
    }

    /// The fewest exchanges that lead anywhere; `None` where none do.
    pub fn lowest(&self) -> Option<u64> {
        let steps = [self.suppress, self.tempfail, self.reject];
        let taken = steps.into_iter().filter(|step| *step > 0);
        taken.min().map(u64::from)
    }

    /// How far up: `recent` exchanges in the ladder's minutes, `in_a_day` in a day, and whether on
    /// this day the first step was reached.
    pub fn step(&self, recent: u64, in_a_day: u64, hot: impl FnOnce() -> bool) -> Step {
        let at = |step: u32, exchanges: u64| step > 0 && exchanges >= u64::from(step);
        if at(self.tempfail, recent) {
            Step::Tempfail
        } else if at(self.reject, in_a_day) && hot() {
            Step::Reject
        } else if at(self.suppress, recent) {
            Step::Suppress
        } else {
            Step::None
        }
    }

    /// Whether the day is hot from so many recent exchanges on.
    pub fn heats(&self, recent: u64) -> bool {
        let first = [self.suppress, self.tempfail];
        let first = first.into_iter().filter(|step| *step > 0).min();
        first.is_none_or(|first| recent >= u64::from(first))
    }

    /// The window of the first two steps in seconds.
    pub fn window(&self) -> u32 {
        self.minutes * 60
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_for_each_number_and_none_for_zero() {
        let ladder = Ladder::new(10, [2, 4, 6]);
        let step = |recent, day, hot| ladder.step(recent, day, || hot);
        assert_eq!(step(1, 100, false), Step::None);
        assert_eq!(step(2, 2, true), Step::Suppress);
        assert_eq!(step(4, 9, true), Step::Tempfail);
        assert_eq!(step(0, 6, true), Step::Reject);
        assert_eq!(step(0, 6, false), Step::None);
        let never = Ladder::new(10, [0, 0, 0]);
        assert_eq!(never.step(1000, 1000, || true), Step::None);
        assert_eq!(never.lowest(), None);
        assert_eq!(
            Ladder::new(1, [0, 3, 0]).step(3, 3, || true),
            Step::Tempfail
        );
    }

    #[test]
    fn steps_go_up() {
        assert_eq!(Ladder::new(10, [4, 0, 4]).problem(), None);
        assert!(Ladder::new(10, [4, 3, 6]).problem().is_some());
        assert!(Ladder::new(10, [4, 0, 3]).problem().is_some());
    }
}
