//! The relay ingress of Rails' Action Mailbox:
//! <https://guides.rubyonrails.org/action_mailbox_basics.html>.
//!
//! It takes the message as `message/rfc822`. Its routing knows the recipients of the fields To, Cc,
//! Bcc and X-Original-To, so each recipient of the envelope gets a field of the last name on top.

use super::{RequestForm, message_below};
use crate::Letter;

pub(super) fn form(letter: &Letter<'_>) -> RequestForm {
    message_below("X-Original-To", letter)
}
