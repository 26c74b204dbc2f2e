//! loop-guard as plain Rust: what goes to and fro over hours, in no time.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod exchanges;
mod newcomers;
mod properties;
