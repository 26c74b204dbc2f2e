//! What operations answer, and their forms on the way to a relay.
#![allow(clippy::unwrap_used)]

mod audit;
mod directory;
mod documented;
mod operator;
mod other_version;
mod wire;
mod wrong_kinds;
