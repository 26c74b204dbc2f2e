//! DKIM (RFC 6376, RFC 8463): canonical forms, keys with their records, signatures.
//!
//! - A [`PrivateKey`] is made for an [`Algorithm`] and shown to nobody. Its public half stands in
//!   the DNS as a [`KeyRecord`], at a [`Selector`] below the domain.
//! - [`look()`] asks the DNS whether the record is there: a message that is signed before fails.
//! - A [`Signer`] is a key with the domain and the selector that it signs for. [`sign()`] returns the
//!   fields that go above a message.
//! - [`CanonicalBody`] and [`body_hash`] are the canonical forms of a body, which the verifier uses
//!   as well.
//!
//! Nothing in here does I/O but [`look()`], and reading a body that is in a file.

#![forbid(unsafe_code)]

mod canonical_body;
mod generate;
mod key;
mod look;
mod record;
mod selector;
mod sign;

pub use canonical_body::CanonicalBody;
pub use key::{Algorithm, AlgorithmError, KeyError, PrivateKey};
pub use look::{Seen, look};
pub use mail_auth::dkim::Canonicalization;
pub use record::{KeyRecord, alias_target};
pub use selector::{Selector, SelectorError, SelectorPrefix};
pub use sign::{Forms, SignError, Signer, body_hash, sign, sign_in_forms, with_signatures};
