//! What returns of a message: its header section, or all of it where RET asks for that.

use std::io;

use gatepost_message::{Message, seven_bit};
use gatepost_smtp::dsn::Ret;
use mail_builder::headers::HeaderType;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::wanted::is_theirs;
use super::{Action, Original};
use crate::content::Pieces;

/// The largest message that returns whole, in octets; of a larger one the header section does.
/// It is as much as the store keeps without a file of its own.
pub(super) const WHOLE_UP_TO: u64 = 256 * 1024;

/// How much of a long header section returns: enough to recognise the message by.
const HEADER_UP_TO: usize = 64 * 1024;

/// What returns.
#[derive(Debug)]
pub(super) enum Returned {
    /// The header section, as asked for or by default.
    Header,
    /// The whole message, in these octets.
    Whole(Vec<u8>),
    /// The header section instead of a message that is too large.
    TooLarge,
}

impl Returned {
    /// What is to return of this message: all of it only where it failed (RFC 3461 section 4.3),
    /// and to whom it comes from: else it would carry a stranger's words to whom they like. The
    /// store is read where that blocks nobody.
    pub(super) async fn of(original: Original<'_>, action: Action) -> Self {
        let is_theirs = is_theirs(original.sender);
        if action != Action::Failed || original.dsn.ret != Some(Ret::Full) || !is_theirs {
            return Self::Header;
        }
        if original.message.size() > WHOLE_UP_TO {
            return Self::TooLarge;
        }
        match whole(original.message).await {
            Ok(octets) if passes(original, &octets) => Self::Whole(octets),
            Ok(_) => Self::Header,
            Err(error) => {
                let id = original.transaction.id;
                tracing::error!(%id, %error, "cannot return a message whole");
                Self::Header
            }
        }
    }

    /// The word for it in templates.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Whole(_) => "message",
            Self::TooLarge => "too-large",
        }
    }

    /// The part of the notice; the types of RFC 6533 only where SMTPUTF8 was used, and needed.
    pub(super) fn part(self, original: Original<'_>) -> MimePart<'static> {
        let international = is_international(original);
        match self {
            // Unlike the other it may be encoded (RFC 6532 section 3.7), and so passes everywhere.
            Self::Whole(octets) if international => {
                MimePart::new("message/global", BodyPart::Binary(octets.into()))
            }
            Self::Whole(octets) => {
                // Not to be encoded in any other way (RFC 2046 section 5.2.1).
                let encoding = if octets.is_ascii() { "7bit" } else { "8bit" };
                as_it_is("message/rfc822", encoding, octets)
            }
            Self::Header | Self::TooLarge => {
                let section = header_section(original.message);
                match String::from_utf8(section) {
                    Ok(text) if text.is_ascii() => {
                        as_it_is("text/rfc822-headers", "7bit", text.into_bytes())
                    }
                    Ok(text) => {
                        let kind = if international {
                            "message/global-headers"
                        } else {
                            "text/rfc822-headers"
                        };
                        let kind = ContentType::new(kind).attribute("charset", "utf-8");
                        MimePart::new(kind, BodyPart::Text(text.into()))
                    }
                    Err(other) => MimePart::new(
                        "text/rfc822-headers",
                        BodyPart::Binary(other.into_bytes().into()),
                    ),
                }
            }
        }
    }
}

/// Whether its header section has no other form than that of RFC 6532.
fn is_international(original: Original<'_>) -> bool {
    original.smtputf8 && !original.message.head().is_ascii()
}

/// Whether a notice that holds these octets can be made fit for every server on its way back. One
/// that could not would be lost at the first without 8BITMIME: nobody is told what becomes of a
/// notice.
fn passes(original: Original<'_>, octets: &[u8]) -> bool {
    is_international(original) || seven_bit(octets).is_ok()
}

/// A part whose octets are in order as they are.
pub(super) fn as_it_is(
    kind: &'static str,
    encoding: &'static str,
    octets: Vec<u8>,
) -> MimePart<'static> {
    MimePart {
        headers: vec![
            (
                "Content-Type".into(),
                HeaderType::ContentType(ContentType::new(kind)),
            ),
            (
                "Content-Transfer-Encoding".into(),
                Raw::new(encoding).into(),
            ),
        ],
        contents: BodyPart::Binary(octets.into()),
    }
}

async fn whole(message: &Message) -> io::Result<Vec<u8>> {
    let mut octets = message.head().to_vec();
    let mut pieces = Pieces::of(message.body());
    loop {
        let piece = pieces.next().await?;
        if piece.is_empty() {
            return Ok(octets);
        }
        octets.extend_from_slice(&piece);
    }
}

/// The header section, cut between two fields if it is very long.
fn header_section(message: &Message) -> Vec<u8> {
    let mut section = Vec::new();
    for field in message.fields() {
        if section.len() + field.raw().len() > HEADER_UP_TO {
            break;
        }
        section.extend_from_slice(field.raw());
    }
    section
}
