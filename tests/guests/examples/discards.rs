//! Takes a message and drops it.

hostile_guests::hostile!(Discards, |_message, _decision| Verdict::Discard);
