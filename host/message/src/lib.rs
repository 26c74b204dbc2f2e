//! Messages as octets, and the types of their envelope.
//!
//! A message arrives as octets and leaves as the same octets: [`Message`] never parses and prints
//! again. It keeps a small index of the header section (the start and the colon of each field) and
//! looks fields up by that. The body is behind the [`Body`] trait, so that a large one may stay on
//! disk.
//!
//! 1. A receiver first [repairs](LineEnds) line ends that are not CRLF. A receiver that streams
//!    finds the end of the header section by [`HeadEnd`], keeps that much in memory and stores the
//!    rest elsewhere.
//! 2. [`Message::from_parts`] indexes the header section, once.
//! 3. Policies look fields up by name and ask for [`Edit`]s. A [`FieldName`] and a [`FieldBody`]
//!    exist only in forms that cannot begin a second field or end the header section.
//! 4. [`Message::edited`] makes the message that results: a new header section, the same body.
//!    Every octet outside the named fields is unchanged, so that signatures made elsewhere still
//!    verify.
//!
//! The one exception is [`convert`], for a message that a server does not accept as it is and that
//! may be changed.
//!
//! The crate also has the types that every other crate needs: [`Address`], [`ReversePath`] and
//! [`Domain`], the [`CanonicalAddress`] by which correspondents are compared, [`TransactionId`],
//! [`Millis`] and [`Period`]. Nothing in here does I/O.

#![forbid(unsafe_code)]

mod address;
mod body;
mod canonical;
mod domain;
mod edit;
mod field;
mod head;
mod id;
mod idn;
mod likeness;
mod lines;
mod message;
mod message_id;
mod period;
mod repair;
mod seven_bit;
mod sought;
mod stored;
mod time;

pub use address::{Address, AddressError, ReversePath, address_literal};
pub use body::{Body, BodyDamage, Checksum};
pub use canonical::{
    CanonicalAddress, SeparatorError, Separators, canonical_form, unwrap_srs_and_batv,
};
pub use domain::{Domain, DomainError};
pub use edit::Edit;
pub use field::{Field, FieldBody, FieldError, FieldName};
pub use head::{HeadEnd, head_length};
pub use id::{TransactionId, TransactionIdError};
pub use idn::domain_to_ascii;
pub use likeness::TolerantNames;
pub use lines::LongLines;
pub use message::Message;
pub use message_id::{bare_message_id, without_brackets};
pub use period::{Period, parse_duration};
pub use repair::{LineEnds, LineStart, Opening, Repairs};
pub use seven_bit::{Needs, Unconvertible, convert, seven_bit};
pub use sought::{ERASED_ADDRESS, SoughtAddress};
pub use time::{Millis, TimeError};
