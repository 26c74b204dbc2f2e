//! Discards every message.

hostile_guests::hostile!(Discards, |_message, _decision| Verdict::Discard);
