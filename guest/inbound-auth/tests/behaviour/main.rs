//! What the policy decides, natively and on its fixtures.
#![allow(clippy::unwrap_used)]

mod author;
mod common;
mod connected;
mod direct;
mod fixtures;
mod hops;
