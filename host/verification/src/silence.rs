//! Probes of which nothing is heard.

use gatepost_message::Millis;

use crate::{FailureReason, SentProbe, VerificationFailure};

/// Judges a probe that has not come back: `None` before its deadline. `last` is the failure of the
/// last attempt or report, if that was one; `was_accepted` is true if a server took the probe.
pub fn judge_silence(
    sent: &SentProbe,
    now: Millis,
    last: Option<&VerificationFailure>,
    was_accepted: bool,
) -> Option<VerificationFailure> {
    if !sent.is_overdue(now) {
        return None;
    }
    Some(match (last, was_accepted) {
        (Some(last), _) => last.clone(),
        (None, true) => VerificationFailure::of(FailureReason::NeverReturned),
        (None, false) => VerificationFailure::of(FailureReason::Unreachable)
            .with_detail("no server has taken it"),
    })
}
