//! The e-mail API of osTicket, `api/tickets.email`, as its piping scripts use it:
//! <https://github.com/osTicket/osTicket/blob/develop/setup/doc/api/tickets.md>.
//!
//! It finds the address of its own that mail came to in Delivered-To, too.

use super::{RequestForm, message_below};
use crate::Letter;

pub(super) fn form(letter: &Letter<'_>) -> RequestForm {
    message_below("Delivered-To", letter)
}
