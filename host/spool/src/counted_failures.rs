//! Failures that may pass, counted in a sliding window.

use gatepost_message::Millis;
use gatepost_model::Suppression;
use serde::{Deserialize, Serialize};

/// Times of the failures of an address, of those that are in the window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CountedFailures(Vec<Millis>);

impl CountedFailures {
    /// Most failures that are counted.
    const MOST: usize = Suppression::MOST_COUNTED as usize;

    /// Makes so many failures of one time.
    pub(crate) fn at(at: Millis, count: u32) -> Self {
        Self(vec![at; count.min(Suppression::MOST_COUNTED) as usize])
    }

    /// Counts failures of one time in the window that begins at `since`; returns the number of all.
    pub(crate) fn count(&mut self, at: Millis, count: u32, since: Millis) -> u32 {
        self.0.extend(Self::at(at, count).0);
        self.0.retain(|at| *at >= since);
        let over = self.0.len().saturating_sub(Self::MOST);
        self.0.drain(..over);
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}
