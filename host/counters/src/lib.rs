//! Counts, marks and machines of policies: what an effect changes, and what a look-up finds.
//!
//! An [`Effect`] of a message becomes a [`CounterChange`] by the time of its transaction. A
//! [`CounterState`] takes changes in the order of their commits: counts by the minute add up, the
//! longest mark stays, a machine that is known keeps the time since when. Whoever applies effects
//! does it by this state: a store that holds them in memory, a dry run, a test. A store on disk
//! writes each change beside that, so that the state can be made again from it.
//!
//! All of it derives from what strangers send, so it is bounded: the marks of each policy and
//! account, their counts, and the machines of each account take no more than so many octets. Beyond
//! that the weakest entry is evicted. So mail to one account never evicts an entry of another.
//!
//! [`SharedCounters`] is a state that many threads look into, and policies look up by [`Memory`].
//!
//! [`Effect`]: gatepost_model::Effect

#![forbid(unsafe_code)]

mod change;
mod counts;
mod look_up;
mod machines;
mod marks;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod window;

pub use change::CounterChange;
pub use look_up::{KnownMachine, Memory, RememberedSize, RememberedTotals};
pub use shared::SharedCounters;
pub use state::{CounterState, ExpiredChanges};
pub use window::{LONGEST_WINDOW, bucket, first_bucket};

/// Octets that an entry is assumed to need besides its texts.
const ENTRY_OVERHEAD: usize = 160;
