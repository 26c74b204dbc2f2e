//! What a configuration says, and which errors it has.
#![allow(clippy::unwrap_used)]

mod config;
mod config_errors;
mod connections;
mod endpoints;
mod masked_problems;
