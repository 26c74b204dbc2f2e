//! The end of a signature (RFC 6376 section 3.5, `x=`), by the clock of the transaction: a later
//! check of the same message has the same result.

use std::time::Duration;

use gatepost_message::Millis;

use super::MessageSignature;
use crate::rejection::Rejection;

pub(super) fn check(signature: &MessageSignature, now: Millis) -> Result<(), Rejection> {
    match signature.expires {
        Some(expires) if now.since(Millis(0)).as_secs() > expires => {
            let expires = Millis(0) + Duration::from_secs(expires);
            Err(Rejection::fail(format!(
                "the signature expired at {expires}"
            )))
        }
        _ => Ok(()),
    }
}
