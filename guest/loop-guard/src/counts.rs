//! Counts that decay: how many exchanges there have been of late, over a day.
//!
//! An exchange is a to and fro. What goes out is counted unless a person is said to have written
//! it, and what comes in is counted as its answer; there have been as many exchanges as the rarer
//! of the two. So a burst of mail in one direction is none.
//!
//! What is an hour old counts in full, and less the older it is, until it is forgotten after a day.
//! So a loop that makes haste and one that takes half an hour for each answer reach the same limit,
//! and people who write to each other once in two hours never do.

use gatepost_sdk::Facts;

/// The longest window that is counted, in seconds.
pub const DAY: u32 = 24 * 3600;

/// What a count is worth by its age: seconds, and eighths for what is younger than that and older
/// than the one before.
const WORTH: [(u32, u64); 5] = [
    (3600, 8),
    (2 * 3600, 6),
    (4 * 3600, 4),
    (8 * 3600, 3),
    (DAY, 1),
];

/// Eighths in a whole.
const WHOLE: u64 = 8;

/// What is left of a count, in eighths.
fn decayed(facts: &dyn Facts, key: &str) -> u64 {
    let mut younger = 0;
    let mut sum = 0;
    for (seconds, worth) in WORTH {
        let counted = facts.counted(key, seconds);
        sum += counted.saturating_sub(younger) * worth;
        younger = counted;
    }
    sum
}

/// A message that is being judged, by the way that it goes: what it adds to both counts.
///
/// The first message that came in is not counted, for nothing had gone out: so one that goes out adds
/// to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Comes in.
    In,
    /// Goes out.
    Out,
}

impl Way {
    /// What it may add; of what comes in also the answer that it would get, where answers lag behind:
    /// those that were refused are not counted.
    fn adds(self) -> &'static [[u64; 2]] {
        match self {
            Self::In => &[[1, 0], [0, 1]],
            Self::Out => &[[1, 1]],
        }
    }

    /// What its keys begin with.
    pub fn word(self) -> &'static str {
        match self {
            Self::In => "in ",
            Self::Out => "out ",
        }
    }
}

/// Whether with this message there have been `limit` exchanges, decayed; never where it is 0.
pub fn reached(facts: &dyn Facts, [coming, going]: [&str; 2], way: Way, limit: u32) -> bool {
    let limit = u64::from(limit);
    if limit == 0 {
        return false;
    }
    let counted = |key| facts.counted(key, DAY);
    let least = limit.saturating_sub(1);
    // One look-up of each is enough for most.
    if counted(going) < least || counted(coming) < least {
        return false;
    }
    let [came, went] = [coming, going].map(|key| decayed(facts, key));
    way.adds().iter().any(|[comes, goes]| {
        came + comes * WHOLE >= limit * WHOLE && went + goes * WHOLE >= limit * WHOLE
    })
}

/// Whether so much has been counted under one key, decayed.
pub fn amounts_to(facts: &dyn Facts, key: &str, limit: u32) -> bool {
    let limit = u64::from(limit);
    facts.counted(key, DAY) >= limit && decayed(facts, key) >= limit * WHOLE
}

/// Whether there have been `limit` of both, with this message, in so many seconds and undecayed.
pub fn within(
    facts: &dyn Facts,
    [coming, going]: [&str; 2],
    way: Way,
    seconds: u32,
    limit: u32,
) -> bool {
    let limit = u64::from(limit);
    if limit == 0 {
        return false;
    }
    let [came, went] = [coming, going].map(|key| facts.counted(key, seconds));
    let mut adds = way.adds().iter();
    adds.any(|[comes, goes]| came + comes >= limit && went + goes >= limit)
}

/// Whether so much has been counted in each four hours of the last sixteen.
pub fn in_each_quarter(facts: &dyn Facts, key: &str, least: u64) -> bool {
    const QUARTER: u32 = 4 * 3600;
    let mut younger = 0;
    (1..=4).all(|quarters| {
        let counted = facts.counted(key, quarters * QUARTER);
        let in_this = counted.saturating_sub(younger);
        younger = counted;
        in_this >= least
    })
}

#[cfg(test)]
mod tests {
    use gatepost_sdk::Level;

    use super::*;

    /// One message every so many seconds, for longer than a day.
    struct Each(u32);

    impl Facts for Each {
        fn now(&self) -> u64 {
            0
        }
        fn counted(&self, _: &str, seconds: u32) -> u64 {
            u64::from(seconds / self.0)
        }
        fn seen(&self, _: &str) -> bool {
            false
        }
        fn log(&self, _: Level, _: &str) {}
    }

    #[test]
    fn an_exchange_an_hour_adds_up_and_one_in_two_hours_does_not() {
        let four = |seconds| reached(&Each(seconds), ["in", "out"], Way::In, 4);
        for seconds in [60, 480, 1800, 3600] {
            assert!(four(seconds), "{seconds}");
        }
        for seconds in [2 * 3600, 4 * 3600, 8 * 3600] {
            assert!(!four(seconds), "{seconds}");
        }
        assert!(!reached(&Each(1), ["in", "out"], Way::In, 0));
    }
}
