//! What was answered with 250 is kept, whatever happens.

// In a test, an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod disk_full;
mod fsync_error;
mod kill;
mod power_loss;
