//! Command line of Gatepost.
//!
//! [`commands`] reads arguments and prints responses. Most commands execute an operation on a
//! running relay or on its store (`gatepost-operations`). [`check`] judges stored messages by the
//! configured chain, [`fixtures`] tests one policy on its author's fixtures, `story` tells of one decision
//! in full, `bench` measures one policy, [`mod@diff`] compares two versions, [`scaffold`] writes the crate of a
//! new policy, [`stand_ins`] replaces personal data in fixtures, and [`sink`] is an SMTP server for
//! demonstrations and tests.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod bench;
pub mod check;
pub mod commands;
pub mod diff;
pub mod fixtures;
pub mod scaffold;
pub mod sink;
pub mod stand_ins;
mod story;

pub use commands::{Cli, complain, run, set_up_errors, tell};
