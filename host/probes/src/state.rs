//! State of a direction after a probe has ended.

use gatepost_directory::Verification;
use gatepost_message::Millis;
use gatepost_verification::{FailureReason, VerificationFailure};

use crate::ProbedDirection;

/// Returns the state of a direction after a probe has failed.
///
/// A direction that was not verified has failed. One that was verified stays so unless something
/// has said no: a message may be lost for many causes, and mail that goes may not be stopped for
/// one. What leaves changes what customers see, so only the smart host's own refusal
/// (`at_smart_host`) counts there. What comes in changes nothing else, so every finding that
/// someone can mend counts.
pub fn next_state(
    before: &Verification,
    direction: ProbedDirection,
    failure: &VerificationFailure,
    at_smart_host: bool,
    at: Millis,
) -> Verification {
    // What a server says for now only, or another server says, is no refusal.
    let refuses = direction == ProbedDirection::Outbound
        && at_smart_host
        && !failure.is_temporary()
        && Verification::is_refusal_code(failure.reason.code());
    let counts = match direction {
        ProbedDirection::Outbound => refuses,
        ProbedDirection::Inbound => !is_loss(failure.reason),
    };
    match before {
        Verification::Verified { .. } if !counts => before.clone(),
        _ => Verification::Failed {
            at,
            reason: failure.reason.code().to_owned(),
            words: failure.to_string(),
            refuses: Some(refuses),
        },
    }
}

/// Returns true if a message is lost or waits by this reason, which may end by itself.
fn is_loss(reason: FailureReason) -> bool {
    use FailureReason as Reason;
    matches!(
        reason,
        Reason::NeverReturned
            | Reason::GreylistedTooLong
            | Reason::Unreachable
            | Reason::QuotaReached
            | Reason::MailboxFull
            | Reason::TlsUntrusted
            | Reason::TlsWrongName
            | Reason::TlsExpired
            | Reason::TlsVersion
            | Reason::TlsNotOffered
            | Reason::TlsFailed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_verified_stays_so_unless_something_says_no() {
        let before = Verification::Verified { at: Millis(1) };
        let reason = |direction, reason, at_smart_host| {
            let failure = VerificationFailure::of(reason);
            match next_state(&before, direction, &failure, at_smart_host, Millis(2)) {
                Verification::Failed { reason, .. } => Some(reason),
                _ => None,
            }
        };
        use FailureReason as Reason;
        use ProbedDirection::{Inbound, Outbound};
        for (direction, of, at_smart_host, fails) in [
            (Outbound, Reason::NeverReturned, false, false),
            (Outbound, Reason::Unreachable, true, false),
            (Outbound, Reason::TlsExpired, true, false),
            (Outbound, Reason::QuotaReached, true, false),
            (Outbound, Reason::FromRewritten, false, false),
            (Outbound, Reason::Refused, false, false),
            (Outbound, Reason::CredentialsRefused, true, true),
            (Outbound, Reason::SenderNotAllowed, true, true),
            (Inbound, Reason::NeverReturned, false, false),
            (Inbound, Reason::GreylistedTooLong, false, false),
            (Inbound, Reason::ForwardingForbidden, false, true),
            (Inbound, Reason::FromRewritten, false, true),
        ] {
            let expected = fails.then(|| of.code().to_owned());
            assert_eq!(reason(direction, of, at_smart_host), expected, "{of:?}");
        }
    }

    #[test]
    fn what_was_not_verified_fails_by_any_reason() {
        for reason in FailureReason::ALL {
            for before in [
                Verification::Unverified,
                Verification::Pending { since: Millis(1) },
            ] {
                let failure = VerificationFailure::of(reason);
                let after = next_state(
                    &before,
                    ProbedDirection::Outbound,
                    &failure,
                    false,
                    Millis(2),
                );
                assert!(matches!(after, Verification::Failed { .. }), "{reason:?}");
            }
        }
    }
}
