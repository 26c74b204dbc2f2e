//! Files of the store, whichever crate writes them: what state one is in ([`State`]), how it is
//! looked at without changing it ([`look`], [`problems`]), and how a damaged one is kept
//! ([`keep`], [`kept`]). What an inspection comes to is a list of [`Finding`]s.

#![forbid(unsafe_code)]

mod aside;
mod database;
mod finding;

pub use aside::{keep, kept, move_away};
pub use database::{State, foreign, has_table, lacks, look, problems, user_version};
pub use finding::{Finding, Level};
