//! Delivery over real sockets on loopback, with a real spool: one module for each concern.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod bounce;
mod damaged_body;
mod extensions;
mod long_lines;
mod notices;
mod opening;
mod refused_session;
mod reuse;
mod schedule;
mod support;
mod tls;
mod too_many_recipients;
mod transfer;
