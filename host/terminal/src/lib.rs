//! Output to terminals and logs.
//!
//! All that the relay prints goes through this crate, because it may hold what strangers wrote or
//! what stands in files, modules and arguments. Characters that a terminal would hide or obey are
//! [escaped](escape). No other crate prints: lints refuse `println!` and the like.

#![forbid(unsafe_code)]

pub mod escape;
mod print;
mod progress;

pub use print::{BufferedOutput, complain, print, print_json};
pub use progress::Progress;
