//! Makes a message of the parts that a program names: addresses, subject, text, HTML, files.
//!
//! A program that would have to learn MIME to write to somebody hands in a [`Draft`] instead, and the
//! contents of its files beside it. [`compose`] makes the message (RFC 5322, RFC 2045): text and
//! HTML as alternatives, files that the HTML shows beside it (RFC 2387), all other files behind. The
//! encoding is that of a library; the bounds, and which fields a program may set, are decided here.

#![forbid(unsafe_code)]

mod bounds;
mod build;
mod draft;

use bytes::Bytes;
use gatepost_message::{Address, FieldName, Millis};

pub use self::bounds::is_message_id;
pub use self::draft::{
    Draft, DraftFile, DraftFileContent, DraftMailbox, DraftTrigger, NamedMailbox,
};

/// Parts that the relay adds to a draft.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Field by which a submission says who wrote it.
    pub trigger: FieldName,
    /// Field with the metadata of a submission.
    pub metadata: FieldName,
    /// Name of the Message-ID before the at sign; behind it stands the domain of the author.
    pub id: String,
    /// Time of Date.
    pub at: Millis,
}

/// Message that was made of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Author: the first address of From.
    pub author: Address,
    /// Recipients: To, Cc and Bcc in this order, each once.
    pub recipients: Vec<Address>,
    /// Message-ID, without angle brackets.
    pub message_id: String,
    /// The message, with CRLF.
    pub octets: Vec<u8>,
}

/// Reason why no message can be made of a draft: the member of the draft, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {problem}")]
pub struct DraftError {
    /// Member of the draft, such as `to` or `files[2].name`.
    pub member: String,
    /// Sentence: what is wrong, and what to do.
    pub problem: String,
}

impl DraftError {
    fn new(member: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            member: member.into(),
            problem: problem.into(),
        }
    }
}

/// Makes a message of a draft. `file` returns the content that came beside it under a name.
///
/// # Errors
/// The first member of the draft that cannot be written as it is.
pub fn compose(
    draft: &Draft,
    setting: &Setting,
    file: impl Fn(&str) -> Option<Bytes>,
) -> Result<Composed, DraftError> {
    bounds::check(draft, setting)?;
    build::message(draft, setting, file)
}
