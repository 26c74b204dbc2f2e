//! Hostile messages, and the built-in policies in their sandbox.
//!
//! A [`Case`] is one or several messages, made from a seed: every field that a policy reads, in
//! every [shape](Shape) that is hard to read, repeated, nested and grown to the limits of the
//! session; many recipients; both directions; facts of authentication; reply loops after which
//! counts are high. The same seed makes the same case.
//!
//! A [`Site`] has all five built-in policies judge the messages of a case, one after the other and
//! independently of earlier verdicts, so that no policy hides behind another's refusal. It returns
//! the time of each [`Call`] and its fault, if any.
//!
//! `cargo test -p hostile-mail` sends 10,000 cases; `cargo xtask fuzz` as many as are asked for.

#![forbid(unsafe_code)]

mod draft;
mod kinds;
mod shapes;
mod shrink;
mod site;

pub use draft::{CaseMessage, Draft, Facts};
pub use kinds::{Case, Kind, NAMES};
pub use shapes::Shape;
pub use shrink::shrink;
pub use site::{Call, Site};

/// Octets of a header section that a session accepts by default, and a little less: the relay's own
/// fields come on top.
pub const HEADER_SIZE: usize = (1 << 20) - 512;

/// Recipients of a message that a session accepts by default.
pub const RECIPIENTS: usize = 1_000;
