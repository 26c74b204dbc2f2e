//! The relay, wired together: start, reload, drain.
//!
//! `gatepost-config` is read once at start and is the truth about what the relay does.
//! `gatepost-policy-set` loads the modules that it names, in processes of their own. [`run`] then
//! starts everything and stops it again: `gatepost-intake` takes connections and messages up to the
//! "250", `gatepost-delivery` hands them on, asking `gatepost-routing` where to, and
//! `gatepost-operations` answers operators.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod relay;

pub use relay::run;
