//! Intake: the way of a message from a connection to the commit before its "250".
//!
//! [`listener`] takes connections, [`session`] drives one of them through the SMTP state machine,
//! [`log_ins`] checks users, and [`pipeline`] carries a transaction from MAIL to the commit: facts about
//! its [`origin`], the policy chain, the relay's own [`edits`], the spool. What it needs to know of
//! accounts is asked through [`ownership`] and [`look_ups`]. A session takes the active configuration
//! from [`live`]. A [`rehearsal`] is the same pipeline without effect. Behind the reply, [`integrity`]
//! compares what came back of our messages with what was sent.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod edits;
pub mod integrity;
pub mod listener;
pub mod live;
pub mod log_ins;
pub mod look_ups;
pub mod origin;
pub mod ownership;
pub mod pipeline;
pub mod rehearsal;
pub mod session;
pub mod tls;
