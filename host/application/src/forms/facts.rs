//! The form `multipart`: the facts, and the message as a file.

use std::io;

use super::form_data::FormData;
use super::{RequestForm, json_segment};
use crate::Letter;
use crate::segments::Segment;

/// Makes the form of two parts.
pub(super) fn form(letter: &Letter<'_>) -> io::Result<RequestForm> {
    FormData::new()?
        .value("facts", "application/json", json_segment(letter)?)
        .file("message", "message.eml", "message/rfc822", Segment::Message)
        .end()
}
