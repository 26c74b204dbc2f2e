//! The public suites. Each has a name server on loopback and runs through [`gather`], which the
//! session calls; a sample of each also runs over SMTP (`tests/scenarios`). `tests/support` reads
//! them. If a suite is absent, its test says so in one line.
//!
//! A pass must not be an accident: each suite also runs with one letter of the body changed, and
//! with one letter of the keys changed, and then no part of it may pass.
//!
//! [`gather`]: gatepost_authentication::gather

mod arc;
mod authors;
mod canonicalization;
mod chasquid;
mod dkimpy;
mod dmarc;
mod public_suffixes;
mod rules;
mod world;
