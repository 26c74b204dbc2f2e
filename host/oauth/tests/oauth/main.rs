//! Tokens from a token server on loopback.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod device;
mod failures;
mod grants;
mod renewal;
mod rotation;
mod support;
