//! Messages of strangers who mean harm, and the built-in policies in their sandbox.
//!
//! A [`Case`] is one or several letters, made from a seed: every field that a policy reads, of
//! every [shape](Shape) that is hard to read, repeated, nested and grown to the limits of the
//! session; many recipients; both flows; facts of authentication; dialogues after which counts are
//! warm. The same seed makes the same case.
//!
//! A [`Site`] has all five built-in policies judge the letters of a case, one after the other and
//! whatever the one before has said, so that none hides behind another's refusal. It says what each
//! [`Call`] took and whether it was a fault.
//!
//! `cargo test -p hostile-mail` sends 10,000 cases; `cargo xtask fuzz` as many as are asked for.

#![forbid(unsafe_code)]

mod draft;
mod kinds;
mod shapes;
mod shrink;
mod site;

pub use draft::{Draft, Facts, Letter};
pub use kinds::{Case, Kind, NAMES};
pub use shapes::Shape;
pub use shrink::shrunk;
pub use site::{Call, Site};

/// Octets of a header section that a session takes by default, and a little less: the relay's own
/// fields come on top.
pub const HEADER_SIZE: usize = (1 << 20) - 512;

/// Recipients of a message that a session takes by default.
pub const RECIPIENTS: usize = 1_000;
