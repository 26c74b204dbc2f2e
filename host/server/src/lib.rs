//! The relay: everything that is not protocol, policy, queue or delivery.
//!
//! [`config`] is read once at start and is the truth about what the relay does. [`policies`]
//! loads the modules that it names, in processes of their own ([`loading`]). [`relay`] then starts everything and stops it again:
//! [`listener`] takes connections, [`session`] drives one of them through the SMTP state machine,
//! and [`pipeline`] is the way of a message from the end of its data to the "250": facts, policy
//! chain, edits, spool. [`routing`] asks the policies where a message goes and tells them what
//! became of it. A [`rehearsal`] is the same pipeline without effect, [`check`] one with stored
//! messages, and [`fixtures`] one policy alone on what its author wrote down; [`scaffold`] begins one.
//!
//! People see it through the command line ([`cli`]), which speaks to a running relay over the
//! control socket ([`control`]), and through logs, metrics and health ([`observability`]).
//! What is damaged, missing or open to others, [`doctor`] finds. [`sink`] is the server at the other end, for demonstrations and tests.

#![forbid(unsafe_code)]
// What is printed is escaped in one place: `cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod builtin;
pub mod check;
pub mod cli;
pub mod config;
pub mod control;
pub mod doctor;
pub mod eml;
pub mod exposure;
pub mod feeds;
pub mod fixtures;
pub mod folder;
pub mod host_rules;
pub mod integrity;
pub mod listener;
pub mod live;
pub mod loading;
pub mod log_ins;
pub mod look_ups;
pub mod observability;
pub mod origin;
pub mod ownership;
pub mod partner_lines;
pub mod pipeline;
pub mod policies;
pub mod reasons;
pub mod received;
pub mod rehearsal;
pub mod relay;
pub mod repaired;
pub mod routing;
pub mod scaffold;
pub mod session;
pub mod sink;
pub mod submission;
pub mod tls;
pub mod verdict_fields;
