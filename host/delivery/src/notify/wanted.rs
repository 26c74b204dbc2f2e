//! Which notices a sender wants.

use gatepost_message::{Message, Millis};
use gatepost_smtp::dsn::{MessageRequest, Notify, RecipientRequest, Ret};
use gatepost_spool::{Claim, ClaimedRecipient, SenderProof};

use super::{Action, Notifications};

/// Whether the sender of a recipient with this NOTIFY is to be told (RFC 3461 sections 4.1 and
/// 5.2.2); for a delay where NOTIFY is absent, whether they may be.
pub(crate) fn wants(notify: Option<Notify>, action: Action) -> bool {
    match (notify, action) {
        // Who does not want to hear of failure does not want to hear of this.
        (Some(notify), Action::Failed | Action::Suppressed) => notify.failure,
        (Some(notify), Action::Delayed) => notify.delay,
        (Some(notify), Action::Relayed | Action::Delivered) => notify.success,
        (None, Action::Failed | Action::Delayed | Action::Suppressed) => true,
        (None, Action::Relayed | Action::Delivered) => false,
    }
}

/// What a next hop that offers DSN is asked for of a message. A stranger's wish for the whole
/// message is not passed on: the notice would carry it to whom they like (RFC 3461 section 5.2.1
/// has no word on forged senders).
pub(crate) fn message_request(sender: SenderProof, asked: &MessageRequest) -> MessageRequest {
    let mut request = asked.clone();
    if !is_theirs(sender) && request.ret == Some(Ret::Full) {
        request.ret = Some(Ret::Headers);
    }
    request
}

/// What it is asked for of a recipient: no notice where none may go to the sender.
pub(crate) fn recipient_request(
    notifications: &Notifications,
    sender: SenderProof,
    asked: &RecipientRequest,
) -> RecipientRequest {
    let mut request = asked.clone();
    if !notifications.tells(sender) {
        request.notify = Some(Notify::NEVER);
    }
    request
}

/// Whether the reverse-path is that of whoever sent the message.
pub(super) fn is_theirs(sender: SenderProof) -> bool {
    matches!(sender, SenderProof::Authenticated | SenderProof::Proved)
}

/// When the sender of a claimed recipient is to be told that it is late; `None` where they are
/// not, or have been told.
///
/// Who has not asked for it is told only of messages that a person may have sent: a machine does
/// not wait, and a mailing list would be flooded.
pub(crate) fn delay_notice_at(
    notifications: &Notifications,
    claim: &Claim,
    recipient: &ClaimedRecipient,
) -> Option<Millis> {
    let at = claim.received_at + notifications.delay?;
    let notify = recipient.dsn.notify;
    let due = at < claim.expires_at
        && !recipient.delay_told
        && notifications.tells(claim.sender)
        && !claim.transaction.reverse_path.is_null()
        && wants(notify, Action::Delayed)
        && (notify.is_some() || (notifications.delay_unasked && !is_automatic(&claim.message)));
    due.then_some(at)
}

/// Whether a machine or a mailing list sent it (RFC 3834 section 5, RFC 2919, and the custom of
/// Precedence).
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
    fn notify_decides_and_its_absence_means_what_goes_wrong() {
        let wanted = |notify: Option<&str>| {
            let notify = notify.map(|value| Notify::parse(value).expect("valid"));
            Action::ALL.map(|action| wants(notify, action))
        };
        assert_eq!(wanted(None), [true, true, false, false, true]);
        assert_eq!(wanted(Some("NEVER")), [false; 5]);
        assert_eq!(wanted(Some("FAILURE")), [true, false, false, false, true]);
        assert_eq!(wanted(Some("DELAY")), [false, true, false, false, false]);
        assert_eq!(wanted(Some("SUCCESS")), [false, false, true, true, false]);
        assert_eq!(wanted(Some("SUCCESS,FAILURE,DELAY")), [true; 5]);
    }

    #[test]
    fn machines_and_lists_are_known_by_their_header() {
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
