//! Help desks that answer each other, for days on end, in a few seconds of virtual time.
//!
//! Each [desk](desk) has an application that answers whatever comes in and agents who write now and
//! then. Some stand behind a relay of ours ([`site`]), with the real policies in the sandbox and
//! all rules of the host, as [`gatepost_intake::dry_run`] plays them; others are systems elsewhere that
//! do as they please. The [`world`] carries letters between them, at a time of its own, through
//! [middles](middle) that strip header fields, resend to a list or forward.
//!
//! What is asked of every exchange: the automatic traffic of two desks stops by itself, within
//! [`MOST`] letters (one [scenario](three) needs more, and says why; what takes its [time](habits) ends
//! within a day), and whatever an agent writes arrives, unless it is to a partner. So does what
//! [people] write of whom nothing is said. What is asked
//! of every policy: without it, some exchange goes on for ever.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod chance;
mod desk;
mod habits;
mod letter;
mod middle;
mod ourselves;
mod partners;
mod people;
mod site;
mod three;
mod two;
mod without;
mod world;

use std::time::Duration;

/// The most automatic letters that one letter of a person sets off between two desks.
const MOST: usize = 10;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
