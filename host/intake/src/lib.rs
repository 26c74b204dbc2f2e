//! Intake: the way of a message from a connection to the commit before its "250".
//!
//! [`listener`] takes connections, [`session`] drives one of them through the SMTP state machine,
//! [`authenticator`] checks users, and [`pipeline`] carries a transaction from MAIL to the commit:
//! [`message_authentication`], the policy chain, the relay's own [`edits`], the spool. Questions
//! about accounts go to [`ownership`] and [`look_ups`]. A session takes the active configuration
//! from [`active_config`]. A [`dry_run`] is the same pipeline without effect,
//! an [`http_submission`] the same without a connection. After the reply,
//! `recording` keeps what the policies were asked, and [`integrity`] compares messages of ours that came back with what was sent. [`return_path`] has
//! the addresses to which reports come back, [`disconnection`] the names in which mail of
//! disconnected senders leaves, [`suspension`] what holds queued mail, and a module of its own matches a report to its message.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod active_config;
pub mod authenticator;
pub mod disconnection;
pub mod dry_run;
pub mod edits;
pub mod http_submission;
pub mod incidents;
pub mod inside;
pub mod integrity;
pub mod listener;
pub mod look_ups;
pub mod message_authentication;
mod network;
pub mod ownership;
pub mod pipeline;
mod recording;
pub mod return_path;
mod returns;
pub mod session;
pub mod suspension;
pub mod tls;
