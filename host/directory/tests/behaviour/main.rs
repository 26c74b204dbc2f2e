//! What the directory keeps, refuses and recovers, by its public functions.
#![allow(clippy::unwrap_used)]

mod addresses;
mod administrators;
mod api_tokens;
mod brands;
mod common;
mod connections;
mod damage;
mod directory;
mod dkim;
mod endpoints;
mod erasure;
mod failed_write;
mod handovers;
mod kept_requests;
mod model;
mod refusals;
mod restrictions;
mod rotation;
mod sandbox;
mod upgrade;
