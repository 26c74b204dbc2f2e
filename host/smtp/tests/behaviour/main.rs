//! What sessions of the server and of the client do, octet by octet.
#![allow(clippy::unwrap_used)]

mod back_to_back;
mod chunking;
mod client;
mod client_auth;
mod commands;
mod common;
mod conformance;
mod data;
mod dsn;
mod lifecycle;
mod mark_before_dot;
mod octets_that_came;
mod properties;
mod proxied;
mod proxy;
mod recipient_failure;
mod repair;
mod reply;
mod smtputf8;
