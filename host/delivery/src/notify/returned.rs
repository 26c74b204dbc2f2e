//! The returned part of a message: its header section, or the whole message if RET asks for that.

use std::io;

use gatepost_message::{Message, seven_bit};
use gatepost_smtp::dsn::Ret;
use mail_builder::headers::HeaderType;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::wanted::is_proved;
use super::{Action, Original};
use crate::content::Pieces;

/// Largest message that is returned whole, in octets; of a larger one the header section is
/// returned. It is the largest that the store keeps without a file of its own.
pub(super) const MAX_WHOLE: u64 = 256 * 1024;

/// Most octets of a header section that are returned: enough to recognise the message.
const MAX_HEADER: usize = 64 * 1024;

/// Returned part.
#[derive(Debug)]
pub(super) enum Returned {
    /// Header section, as asked for or by default.
    Header,
    /// Whole message, in these octets.
    Whole(Vec<u8>),
    /// Header section instead of a message that is too large.
    TooLarge,
}

impl Returned {
    /// Decides what is returned of this message. The whole message is returned only after a failure
    /// (RFC 3461 section 4.3), and only to a proved sender: otherwise the notice would carry a
    /// stranger's words to any address. The store is read on a thread that may block.
    pub(super) async fn of(original: Original<'_>, action: Action) -> Self {
        let is_proved = is_proved(original.sender);
        if action != Action::Failed || original.dsn.ret != Some(Ret::Full) || !is_proved {
            return Self::Header;
        }
        if original.message.size() > MAX_WHOLE {
            return Self::TooLarge;
        }
        match whole(original.message).await {
            Ok(octets) if is_transportable(original, &octets) => Self::Whole(octets),
            Ok(_) => Self::Header,
            Err(error) => {
                let id = original.transaction.id;
                tracing::error!(%id, %error, "cannot return a message whole");
                Self::Header
            }
        }
    }

    /// Returns the word for it in templates.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Whole(_) => "message",
            Self::TooLarge => "too-large",
        }
    }

    /// Makes the part of the notice; it has a type of RFC 6533 only if SMTPUTF8 was used, and
    /// needed.
    pub(super) fn part(self, original: Original<'_>) -> MimePart<'static> {
        let international = is_international(original);
        match self {
            // Unlike the other type it may be encoded (RFC 6532 section 3.7), and so every server
            // accepts it.
            Self::Whole(octets) if international => {
                MimePart::new("message/global", BodyPart::Binary(octets.into()))
            }
            Self::Whole(octets) => {
                // It must not be encoded in any other way (RFC 2046 section 5.2.1).
                let encoding = if octets.is_ascii() { "7bit" } else { "8bit" };
                unencoded_part("message/rfc822", encoding, octets)
            }
            Self::Header | Self::TooLarge => {
                let section = header_section(original.message);
                match String::from_utf8(section) {
                    Ok(text) if text.is_ascii() => {
                        unencoded_part("text/rfc822-headers", "7bit", text.into_bytes())
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

/// Returns true if the header section needs the form of RFC 6532.
fn is_international(original: Original<'_>) -> bool {
    original.smtputf8 && !original.message.head().is_ascii()
}

/// Returns true if a notice that holds these octets can be converted for every server on its way
/// back. Otherwise it would be lost at the first server without 8BITMIME, as there is no notice
/// about a notice.
fn is_transportable(original: Original<'_>, octets: &[u8]) -> bool {
    is_international(original) || seven_bit(octets).is_ok()
}

/// Makes a part of octets that need no encoding.
pub(super) fn unencoded_part(
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

/// Returns the header section, cut between two fields if it is very long.
fn header_section(message: &Message) -> Vec<u8> {
    let mut section = Vec::new();
    for field in message.fields() {
        if section.len() + field.raw().len() > MAX_HEADER {
            break;
        }
        section.extend_from_slice(field.raw());
    }
    section
}
