//! Tests of loop-guard as plain Rust, with a simulated clock: exchanges of hours take no time.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

mod exchanges;
mod newcomers;
mod properties;
