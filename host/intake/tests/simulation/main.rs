//! Help desks that answer each other for days of virtual time, in a few seconds.
//!
//! Each [desk](desk) has an application that answers all incoming mail, and agents who write now
//! and then. Some stand behind a relay of ours ([`site`]), with the real policies in the sandbox
//! and all rules of the host, by [`gatepost_intake::dry_run`]; others are systems elsewhere,
//! without rules. The [`world`] carries letters between them, with a clock of its own, through
//! [intermediaries](middle) that strip header fields, resend to a list or forward.
//!
//! The tests require of every exchange that the automatic mail between two desks stops by itself
//! within [`MOST`] letters (one [scenario](three) needs more, and says why; [slow loops](habits)
//! end within a day), and that mail of agents arrives, unless it is to a partner. Mail of [people]
//! without a trigger arrives too. They require of every policy that without it, some exchange goes
//! on for ever.

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

/// Most automatic letters that one letter of a person may set off between two desks.
const MOST: usize = 10;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
