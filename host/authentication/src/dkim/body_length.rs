//! The body length `l=` (RFC 6376 sections 3.4.5 and 8.2): the signed part of the canonical body.
//!
//! Anyone may have written the rest, and a reader does not see where it begins. So by default, a
//! signature that leaves a part of the body out proves nothing.

use super::MessageSignature;
use super::body_hash::BodyHashes;
use crate::PartialBody;
use crate::rejection::Rejection;

/// Refuses a signature of a part of the body, if the settings say so.
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
