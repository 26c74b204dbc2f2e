//! Exchanges of the last day, by counts that decay.
//!
//! An exchange is a message and its answer. Outgoing mail is counted unless its trigger says that a
//! person wrote it, incoming mail is counted as its answer, and the number of exchanges is the
//! smaller of the two counts. So a burst of mail in one direction is no exchange.
//!
//! A message counts in full for an hour, then less and less, and is forgotten after a day. So a
//! fast loop and one that takes half an hour for each answer reach the same limit, and people who
//! write to each other once in two hours never do.

use gatepost_sdk::Facts;

/// Longest window that is counted, in seconds.
pub const DAY: u32 = 24 * 3600;

/// Worth of a message by its age: seconds, and the eighths that it counts while it is younger than
/// that and older than the entry before.
const WORTH_BY_AGE: [(u32, u64); 5] = [
    (3600, 8),
    (2 * 3600, 6),
    (4 * 3600, 4),
    (8 * 3600, 3),
    (DAY, 1),
];

/// Eighths in a whole.
const WHOLE: u64 = 8;

/// Returns the decayed count, in eighths.
fn decayed(facts: &dyn Facts, key: &str) -> u64 {
    let mut younger = 0;
    let mut sum = 0;
    for (seconds, worth) in WORTH_BY_AGE {
        let counted = facts.counted(key, seconds);
        sum += counted.saturating_sub(younger) * worth;
        younger = counted;
    }
    sum
}

/// Direction of the message that is judged: decides what it adds to both counts.
///
/// The first incoming message is not counted, since nothing had gone out; so an outgoing message
/// adds to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailDirection {
    /// Incoming.
    In,
    /// Outgoing.
    Out,
}

impl MailDirection {
    /// Returns the additions to the incoming and outgoing counts, any of which may reach the limit.
    /// An incoming message may also add the answer that it would get, where answers lag behind:
    /// refused answers are not counted.
    fn adds(self) -> &'static [[u64; 2]] {
        match self {
            Self::In => &[[1, 0], [0, 1]],
            Self::Out => &[[1, 1]],
        }
    }

    /// Returns the beginning of the keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::In => "in ",
            Self::Out => "out ",
        }
    }
}

/// Returns true if, with this message, the decayed counts come to `limit` exchanges; never if it is
/// 0.
pub fn exchanges_reach(
    facts: &dyn Facts,
    [coming, going]: [&str; 2],
    direction: MailDirection,
    limit: u32,
) -> bool {
    let limit = u64::from(limit);
    if limit == 0 {
        return false;
    }
    let counted = |key| facts.counted(key, DAY);
    let least = limit.saturating_sub(1);
    // One look-up of each count decides most cases.
    if counted(going) < least || counted(coming) < least {
        return false;
    }
    let [came, went] = [coming, going].map(|key| decayed(facts, key));
    direction.adds().iter().any(|[comes, goes]| {
        came + comes * WHOLE >= limit * WHOLE && went + goes * WHOLE >= limit * WHOLE
    })
}

/// Returns true if the decayed count under one key is at least `limit`.
pub fn count_reaches(facts: &dyn Facts, key: &str, limit: u32) -> bool {
    let limit = u64::from(limit);
    facts.counted(key, DAY) >= limit && decayed(facts, key) >= limit * WHOLE
}

/// Returns true if, with this message, there have been `limit` exchanges within so many seconds,
/// undecayed; never if it is 0.
pub fn exchanges_reach_within(
    facts: &dyn Facts,
    [coming, going]: [&str; 2],
    direction: MailDirection,
    seconds: u32,
    limit: u32,
) -> bool {
    let limit = u64::from(limit);
    if limit == 0 {
        return false;
    }
    let [came, went] = [coming, going].map(|key| facts.counted(key, seconds));
    let mut adds = direction.adds().iter();
    adds.any(|[comes, goes]| came + comes >= limit && went + goes >= limit)
}

/// Returns true if at least this many were counted in each four hours of the last sixteen.
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

    /// Facts of one message every so many seconds, for longer than a day.
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
        let four = |seconds| exchanges_reach(&Each(seconds), ["in", "out"], MailDirection::In, 4);
        for seconds in [60, 480, 1800, 3600] {
            assert!(four(seconds), "{seconds}");
        }
        for seconds in [2 * 3600, 4 * 3600, 8 * 3600] {
            assert!(!four(seconds), "{seconds}");
        }
        assert!(!exchanges_reach(
            &Each(1),
            ["in", "out"],
            MailDirection::In,
            0
        ));
    }
}
