//! Decisions on the notices that a sender asked for.

use std::time::Duration;

use gatepost_message::{Message, Millis};
use gatepost_smtp::dsn::{MessageRequest, Notify, RecipientRequest, Ret};
use gatepost_spool::{Claim, ClaimedRecipient, SenderProof};

use super::{Action, Notifications};

/// Returns true if the sender of a recipient with this NOTIFY gets a notice (RFC 3461 sections 4.1
/// and 5.2.2); for a delay without NOTIFY, true if the sender may get one.
pub(crate) fn wants_notice(notify: Option<Notify>, action: Action) -> bool {
    match (notify, action) {
        // A sender who wants no notice of failure wants none of this.
        (Some(notify), Action::Failed | Action::Suppressed) => notify.failure,
        (Some(notify), Action::Delayed) => notify.delay,
        (Some(notify), Action::Relayed | Action::Delivered) => notify.success,
        (None, Action::Failed | Action::Delayed | Action::Suppressed) => true,
        (None, Action::Relayed | Action::Delivered) => false,
    }
}

/// Returns the DSN parameters of MAIL for a next hop. A stranger's request for the whole message is
/// not passed on: the notice would carry it to any address (RFC 3461 section 5.2.1 does not mention
/// forged senders).
pub(crate) fn message_request(sender: SenderProof, asked: &MessageRequest) -> MessageRequest {
    let mut request = asked.clone();
    if !is_proved(sender) && request.ret == Some(Ret::Full) {
        request.ret = Some(Ret::Headers);
    }
    request
}

/// Returns the DSN parameters of RCPT for a next hop: no notice if none may go to the sender.
pub(crate) fn recipient_request(
    notifications: &Notifications,
    sender: SenderProof,
    asked: &RecipientRequest,
) -> RecipientRequest {
    let mut request = asked.clone();
    if !notifications.may_notify(sender) {
        request.notify = Some(Notify::NEVER);
    }
    request
}

/// Returns true if the reverse-path is proved to be the sender's.
pub(super) fn is_proved(sender: SenderProof) -> bool {
    matches!(sender, SenderProof::Authenticated | SenderProof::Proved)
}

/// Returns the time at which the sender of a claimed recipient is to be told of the delay; `None`
/// if it is not to be told, or has been told.
///
/// A sender who did not ask for it is told only of messages that a person may have sent: a machine
/// does not wait, and a mailing list would be flooded.
pub(crate) fn delay_notice_at(
    notifications: &Notifications,
    claim: &Claim,
    recipient: &ClaimedRecipient,
    own_delay: Option<Duration>,
) -> Option<Millis> {
    let at = claim.received_at + own_delay.or(notifications.delay)?;
    let notify = recipient.dsn.notify;
    let due = at < claim.expires_at
        && !recipient.delay_told
        && notifications.may_notify(claim.sender)
        && !claim.transaction.reverse_path.is_null()
        && wants_notice(notify, Action::Delayed)
        && (notify.is_some() || (notifications.delay_unasked && !is_automatic(&claim.message)));
    due.then_some(at)
}

/// Returns true if a machine or a mailing list sent it (RFC 3834 section 5, RFC 2919, and the
/// custom of Precedence).
fn is_automatic(message: &Message) -> bool {
    let auto_submitted = |value: String| !value.trim_start().to_ascii_lowercase().starts_with("no");
    let precedence = |value: String| {
        let value = value.trim().to_ascii_lowercase();
        matches!(value.as_str(), "bulk" | "list" | "junk")
    };
    message.header("Auto-Submitted").is_some_and(auto_submitted)
        || message.header("Precedence").is_some_and(precedence)
        || message.count("List-Id") > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_notify_only_failure_and_delay_are_reported() {
        let wanted = |notify: Option<&str>| {
            let notify = notify.map(|value| Notify::parse(value).expect("valid"));
            Action::ALL.map(|action| wants_notice(notify, action))
        };
        assert_eq!(wanted(None), [true, true, false, false, true]);
        assert_eq!(wanted(Some("NEVER")), [false; 5]);
        assert_eq!(wanted(Some("FAILURE")), [true, false, false, false, true]);
        assert_eq!(wanted(Some("DELAY")), [false, true, false, false, false]);
        assert_eq!(wanted(Some("SUCCESS")), [false, false, true, true, false]);
        assert_eq!(wanted(Some("SUCCESS,FAILURE,DELAY")), [true; 5]);
    }

    #[test]
    fn machines_and_lists_are_recognised_by_their_header() {
        let automatic = |head: &'static str| {
            is_automatic(&Message::from_bytes(head.as_bytes().to_vec().into()))
        };
        for head in [
            "Auto-Submitted: auto-generated\r\n\r\n",
            "Precedence: Bulk\r\n\r\n",
            "List-ID: <list.example>\r\n\r\n",
        ] {
            assert!(automatic(head), "{head}");
        }
        for head in [
            "Subject: hello\r\n\r\n",
            "Auto-Submitted: no\r\n\r\n",
            "Precedence: first-class\r\n\r\n",
        ] {
            assert!(!automatic(head), "{head}");
        }
    }
}
