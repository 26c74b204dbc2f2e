//! The command line.
//!
//! [`commands`] reads arguments and prints answers; most commands execute an operation on a running
//! relay or on its store (`gatepost-operations`). [`check`] judges stored messages by the configured
//! chain, [`fixtures`] one policy by what its author wrote down, [`scaffold`] begins a new policy, and
//! [`sink`] is an SMTP server for demonstrations and tests.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod check;
pub mod commands;
pub mod fixtures;
pub mod scaffold;
pub mod sink;

pub use commands::{Cli, complain, run, set_up_errors, tell};
