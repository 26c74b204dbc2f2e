//! Files of the store, whichever crate writes them: what state one is in ([`State`]), how it is
//! looked at without changing it ([`look`], [`problems`]), how one is opened and read that may be
//! another kind of file ([`open_with`], [`read`]), and how a damaged one is kept ([`keep`],
//! [`kept`]). What an inspection comes to is a list of [`Finding`]s.

#![forbid(unsafe_code)]

mod aside;
mod database;
mod finding;
mod regular;

pub use aside::{copy_aside, keep, kept, move_away};
pub use database::{State, beside, foreign, has_table, lacks, look, problems, user_version};
pub use finding::{Finding, Level};
pub use regular::{FileError, SETTINGS, open, open_with, read, read_text, refuse_other_kinds};
