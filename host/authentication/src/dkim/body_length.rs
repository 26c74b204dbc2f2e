//! `l=` (RFC 6376 sections 3.4.5 and 8.2): how much of the canonical body is signed.
//!
//! What follows it was written by anyone, and a reader does not see where it begins. So a
//! signature that leaves octets out proves, by default, nothing that may be acted on.

use super::MessageSignature;
use super::body_hash::BodyHashes;
use crate::PartialBody;
use crate::rejection::Rejection;

/// Refuses a signature of a part of the body, if that is what is wanted.
pub(super) fn check(
    signature: &MessageSignature,
    bodies: &BodyHashes,
    partial: PartialBody,
) -> Result<(), Rejection> {
    let whole = bodies.length(signature.body);
    match signature.length {
        Some(length) if partial == PartialBody::Refuse && length < whole => Err(Rejection::policy(
            format!("only {length} of {whole} octets of the body are signed (l=)"),
        )),
        _ => Ok(()),
    }
}
