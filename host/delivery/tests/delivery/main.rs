//! Delivery over real sockets on loopback, with a real spool: one module for each concern.

mod bounce;
mod reuse;
mod schedule;
mod support;
mod tls;
mod transfer;
