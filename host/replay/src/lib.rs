//! Recorded questions put to other versions of policies, and the answers compared.
//!
//! A [`Judges`] has the versions of one side. It [judges](Judges::judge) a recorded entry: it puts the
//! questions that the record has to its versions, in the order of the transaction, and every look-up
//! gets the answer that the record has. So the same versions decide the same on every run and on every
//! machine, whatever the directory says by now. What a version looks up that is not in the record is
//! answered from the present, and named.
//!
//! A call of the same version with the same facts is not made twice. The side that begins takes from the
//! record what the same version has answered there, as long as it decides as the record has. The second
//! side [shares](Judges::judge_like) the calls of the first, as long as both have decided the same.
//!
//! [`changes()`] compares the two sides of one entry, and a [`Tally`] counts the changes of many and
//! groups those that are alike.

mod changes;
mod comparison;
mod given;
mod judges;
mod recorded;
mod replayed;
mod tally;

pub use changes::{DecisionChange, changes};
pub use comparison::{CompareProgress, Compared, Comparison, WantedEntries};
pub use judges::Judges;
pub use recorded::ReplayEntry;
pub use replayed::{Ended, Replayed, Trail, UnknownLookUp};
pub use tally::{Group, MOST_GROUPS, Tally};
