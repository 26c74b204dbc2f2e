//! How many places for connections each listener has for itself, and how many all share.

use std::collections::HashMap;

use crate::live::Door;
use gatepost_config::Config;

/// The places of a configuration.
///
/// Each listener has some that are its own, and what is left is common: whoever fills one listener
/// takes its own places and the common ones, and never those of another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shares {
    own: HashMap<Door, usize>,
    common: usize,
}

impl Shares {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Self {
        let wanted: Vec<_> = (config.listeners.iter())
            .map(|listener| listener.reserved_connections)
            .collect();
        let own = reserved(config.limits.connections, &wanted);
        let left = config.limits.connections - own.iter().sum::<usize>();
        Self {
            own: config.listeners.iter().map(Door::of).zip(own).collect(),
            common: left,
        }
    }

    #[cfg(test)]
    pub(super) fn new(own: impl IntoIterator<Item = (Door, usize)>, common: usize) -> Self {
        Self {
            own: own.into_iter().collect(),
            common,
        }
    }

    /// Places that are this listener's alone. One that the configuration no longer names has none.
    pub(super) fn own(&self, door: &Door) -> usize {
        self.own.get(door).copied().unwrap_or(0)
    }

    /// Places that are nobody's own.
    pub(super) fn common(&self) -> usize {
        self.common
    }
}

/// Divides the places: what listeners want for themselves they have, and half of the rest is
/// divided among those that do not say. Never more than there are.
fn reserved(total: usize, wanted: &[Option<usize>]) -> Vec<usize> {
    let said: usize = wanted.iter().flatten().sum();
    let silent = wanted.iter().filter(|own| own.is_none()).count();
    let share = total.saturating_sub(said) / (2 * silent).max(1);
    let mut left = total;
    let mut take = |own: usize| {
        let own = own.min(left);
        left -= own;
        own
    };
    (wanted.iter())
        .map(|own| take(own.unwrap_or(share)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_places_are_divided_fairly_unless_a_listener_says_more() {
        assert_eq!(reserved(1000, &[None, None]), [250, 250]);
        assert_eq!(reserved(1000, &[None, Some(400), None]), [150, 400, 150]);
        assert_eq!(reserved(1000, &[Some(0), None]), [0, 500]);
        assert_eq!(reserved(2, &[None, None]), [0, 0]);
        assert_eq!(reserved(10, &[Some(8), Some(8)]), [8, 2]);
    }
}
