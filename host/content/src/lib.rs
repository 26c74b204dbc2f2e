//! Content of a message, as an application wants it: decoded text, the [reply](gatepost_reply_text),
//! addresses, and attachments.
//!
//! [`MessageContent::of`] takes a whole message apart. Text is decoded and held; of an attachment only
//! its description is, with the place of its octets: [`AttachmentPieces`] reads and decodes them again
//! where they are passed on, piece by piece.
//!
//! Everything is bounded (`bounds`). A message that is beyond the bounds is not taken apart: it has no
//! text, and is itself its only attachment, `message.eml`.

#![forbid(unsafe_code)]

mod addresses;
mod attachment;
mod bounds;
mod content;
mod decoder;
mod file_name;
mod pieces;

pub use addresses::NamedAddress;
pub use attachment::{Attachment, AttachmentDisposition};
pub use content::MessageContent;
pub use pieces::AttachmentPieces;
