//! The public suites, each served by a name server on loopback and run through [`gather`], which is
//! what the session calls; a sample of each also runs over SMTP (`tests/scenarios`). They are read in
//! `tests/support`. Where a suite is absent, its test says so in one line.
//!
//! What passes must not pass by chance: each suite also runs with a letter of the body changed,
//! and with a letter of the keys changed, and then nothing of it may pass.
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
