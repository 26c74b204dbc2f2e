//! Output to terminals and logs.
//!
//! It holds what strangers have written, and what stands in files, modules and arguments: what a
//! terminal would not show, or would obey, is [escaped](escape) here, for all that is ever printed.
//! No other crate of the relay prints: lints refuse `println!` and the like.

#![forbid(unsafe_code)]

pub mod escape;
mod print;

pub use print::{complain, print, print_json};
