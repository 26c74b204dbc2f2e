//! Command line of Gatepost.
//!
//! [`commands`] reads arguments and prints responses. Most commands execute an operation on a
//! running relay or on its store (`gatepost-operations`). [`check`] judges stored messages by the
//! configured chain, [`fixtures`] tests one policy on its author's fixtures, `story` tells of one decision in full, `bench` measures one policy, [`scaffold`] writes
//! the crate of a new policy, and [`sink`] is an SMTP server for demonstrations and tests.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod bench;
pub mod check;
pub mod commands;
pub mod diff;
pub mod fixtures;
pub mod scaffold;
pub mod sink;
mod story;

pub use commands::{Cli, complain, run, set_up_errors, tell};
