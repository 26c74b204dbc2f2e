//! Files of the store, for every crate that writes some: the state of a database ([`State`]),
//! inspection without changes ([`look`], [`problems`]), opening and migrating ([`sqlite`]), opening
//! and reading of paths that may not be regular files ([`open_with`], [`read`]), replacement of a
//! file as a whole ([`replace()`]), folders ([`make_folder`]), and keeping of damaged files ([`keep`], [`kept`]). An inspection
//! returns [`Finding`]s.

#![forbid(unsafe_code)]

mod aside;
mod database;
mod finding;
mod owner;
mod regular;
mod replace;
pub mod sqlite;

pub use aside::{copy_aside, keep, kept, move_away, sync_folder};
pub use database::{State, beside, foreign, has_table, lacks, look, problems, user_version};
pub use finding::{Finding, Level};
pub use owner::Owner;
pub use regular::{FileError, SETTINGS, open, open_with, read, read_text, refuse_other_kinds};
pub use replace::{make_folder, replace};
