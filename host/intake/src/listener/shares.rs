//! Division of the connections that a relay may have: some for each listener alone, the rest for
//! all.

use std::collections::HashMap;

use crate::active_config::ListenerKey;
use gatepost_config::Config;

/// Connection permits of a configuration.
///
/// Each listener has some of its own, and the rest is common: a flood on one listener takes its own
/// permits and the common ones, and never those of another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shares {
    own: HashMap<ListenerKey, usize>,
    common: usize,
}

impl Shares {
    /// Divides the permits of a configuration.
    pub fn of(config: &Config) -> Self {
        let wanted: Vec<_> = (config.listeners.iter())
            .map(|listener| listener.reserved_connections)
            .collect();
        let own = reserved(config.limits.connections, &wanted);
        let left = config.limits.connections - own.iter().sum::<usize>();
        Self {
            own: config
                .listeners
                .iter()
                .map(ListenerKey::of)
                .zip(own)
                .collect(),
            common: left,
        }
    }

    #[cfg(test)]
    pub(super) fn new(own: impl IntoIterator<Item = (ListenerKey, usize)>, common: usize) -> Self {
        Self {
            own: own.into_iter().collect(),
            common,
        }
    }

    /// Returns the permits of this listener alone: none if the configuration no longer names it.
    pub(super) fn own(&self, key: &ListenerKey) -> usize {
        self.own.get(key).copied().unwrap_or(0)
    }

    /// Returns the permits that belong to no listener.
    pub(super) fn common(&self) -> usize {
        self.common
    }
}

/// Divides the connections: listeners get what they reserve, and half of the rest is divided among
/// those that reserve nothing explicitly. Never gives more than there are.
fn reserved(total: usize, wanted: &[Option<usize>]) -> Vec<usize> {
    let explicit: usize = wanted.iter().flatten().sum();
    let silent = wanted.iter().filter(|own| own.is_none()).count();
    let share = total.saturating_sub(explicit) / (2 * silent).max(1);
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
    fn half_of_the_permits_are_divided_fairly_unless_a_listener_reserves_more() {
        assert_eq!(reserved(1000, &[None, None]), [250, 250]);
        assert_eq!(reserved(1000, &[None, Some(400), None]), [150, 400, 150]);
        assert_eq!(reserved(1000, &[Some(0), None]), [0, 500]);
        assert_eq!(reserved(2, &[None, None]), [0, 0]);
        assert_eq!(reserved(10, &[Some(8), Some(8)]), [8, 2]);
    }
}
