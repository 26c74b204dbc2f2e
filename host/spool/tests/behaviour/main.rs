//! What the spool keeps, and what it says of damage.
#![allow(clippy::unwrap_used)]

mod altered_body;
mod common;
mod conformance;
mod copy;
mod damage;
mod damage_model;
mod disk_full;
mod fatal;
mod intake;
mod memory;
mod missing_files;
mod opening;
