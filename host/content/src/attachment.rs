//! Attachments: their descriptions, and the places of their octets.

use std::ops::Range;

use bytes::Bytes;
use gatepost_message::Message;
use mail_parser::{Encoding, MessagePart, MimeHeaders as _, PartType};
use ring::digest::{Context, SHA256};
use serde::Serialize;

use crate::addresses::one_line;
use crate::bounds::{LONGEST_ID, LONGEST_TYPE};
use crate::decoder::{Base64, QuotedPrintable, TransferDecoder};
use crate::file_name::safe;
use crate::pieces::{AttachmentPieces, Octets};

/// Description of an attachment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attachment {
    /// File name, safe to be used as one.
    pub name: String,
    /// Media type without parameters, in lower case.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Decoded octets.
    pub size: u64,
    /// Content-ID without its angle brackets, by which HTML names an image.
    pub content_id: Option<String>,
    /// Place where the author wants it shown.
    pub disposition: AttachmentDisposition,
    /// SHA-256 of the decoded octets, in hexadecimal digits.
    pub sha256: String,
    #[serde(skip)]
    pub(crate) place: EncodedPart,
}

/// Place where the author of a message wants an attachment shown (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentDisposition {
    /// Beside the text.
    Attachment,
    /// Within the text.
    Inline,
}

/// Place of the encoded octets in the whole message.
#[derive(Debug, Clone)]
pub(crate) struct EncodedPart {
    pub(crate) range: Range<u64>,
    pub(crate) decoder: TransferDecoder,
}

impl Attachment {
    /// Describes a part of a message. `number` counts from 1.
    pub(crate) fn of(part: &MessagePart<'_>, octets: &Bytes, number: usize) -> Self {
        let kind = media_type(part);
        let decoder = match part.encoding {
            // What cannot be decoded is passed on as it was written.
            _ if part.is_encoding_problem => TransferDecoder::Identity,
            Encoding::None => TransferDecoder::Identity,
            Encoding::Base64 => TransferDecoder::Base64(Base64::default()),
            Encoding::QuotedPrintable => {
                TransferDecoder::QuotedPrintable(QuotedPrintable::default())
            }
        };
        let end = u64::from(part.raw_end_offset()).min(octets.len() as u64);
        let begin = u64::from(part.raw_body_offset()).min(end);
        let disposition = part.content_disposition();
        let is_inline = disposition.is_some_and(mail_parser::ContentType::is_inline)
            || disposition.is_none() && part.content_id().is_some();
        let id = part.content_id().map(|id| id.trim_matches(['<', '>', ' ']));
        let id = id
            .map(|id| one_line(id, LONGEST_ID))
            .filter(|id| !id.is_empty());
        Self {
            name: safe(part.attachment_name(), number, &kind),
            media_type: kind,
            content_id: id,
            disposition: match is_inline {
                true => AttachmentDisposition::Inline,
                false => AttachmentDisposition::Attachment,
            },
            ..Self::at(
                EncodedPart {
                    range: begin..end,
                    decoder,
                },
                octets,
            )
        }
    }

    /// Describes a whole message as an attachment.
    pub(crate) fn whole(octets: &Bytes) -> Self {
        Self {
            name: "message.eml".to_owned(),
            media_type: "message/rfc822".to_owned(),
            ..Self::at(
                EncodedPart {
                    range: 0..octets.len() as u64,
                    decoder: TransferDecoder::Identity,
                },
                octets,
            )
        }
    }

    /// Measures the octets at a place.
    fn at(place: EncodedPart, octets: &Bytes) -> Self {
        let mut digest = Context::new(&SHA256);
        let mut size = 0;
        // Octets in memory can be read.
        for piece in AttachmentPieces::new(&place, Octets::Whole(octets.clone())).flatten() {
            digest.update(&piece);
            size += piece.len() as u64;
        }
        let digest = digest.finish();
        Self {
            name: String::new(),
            media_type: String::new(),
            size,
            content_id: None,
            disposition: AttachmentDisposition::Attachment,
            sha256: digest
                .as_ref()
                .iter()
                .map(|octet| format!("{octet:02x}"))
                .collect(),
            place,
        }
    }

    /// Reads the decoded octets from the message that this is an attachment of.
    pub fn pieces(&self, message: &Message) -> AttachmentPieces {
        AttachmentPieces::new(&self.place, Octets::Stored(message.clone()))
    }
}

/// Returns the media type of a part, if it is well-formed.
fn media_type(part: &MessagePart<'_>) -> String {
    let is_token = |text: &str| {
        let sign = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&octet);
        !text.is_empty() && text.bytes().all(sign)
    };
    let given = part.content_type().and_then(|kind| {
        let (kind, subtype) = (kind.ctype(), kind.subtype()?);
        let is_whole =
            is_token(kind) && is_token(subtype) && kind.len() + subtype.len() < LONGEST_TYPE;
        is_whole.then(|| format!("{kind}/{subtype}").to_ascii_lowercase())
    });
    given.unwrap_or_else(|| {
        let kind = match part.body {
            PartType::Message(_) => "message/rfc822",
            PartType::Text(_) => "text/plain",
            _ => "application/octet-stream",
        };
        kind.to_owned()
    })
}
