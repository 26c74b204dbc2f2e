//! Volume of submissions: caps on messages and recipients, and what counts towards them.
//!
//! A submission counts for its [subjects](Subject): its account, the domain of its reverse-path and
//! the credential that handed it in. For each, [`Caps`] may bound the messages and the recipients
//! of an hour and of a day. The windows slide: a cap opens again when what was sent first leaves
//! the window.
//!
//! What was accepted is counted by [effects](InHand::effects) in the commit of the message, so a
//! restart forgets nothing. What is [in hand](InHand), accepted at MAIL or RCPT and not yet
//! committed, is counted in memory beside it: many sessions at once get no further than one.

#![forbid(unsafe_code)]

mod cap;
mod gate;
mod reached;
mod subject;
#[cfg(test)]
mod tests;

pub use cap::{AccountCaps, Cap, CapError, Caps, SiteCaps};
pub use gate::{InHand, VolumeGate, cap_reached};
pub use reached::CapReached;
pub use subject::{Measure, Subject, Used, Window, used};
