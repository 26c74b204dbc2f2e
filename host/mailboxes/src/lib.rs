//! Address fields (From, Sender, Reply-To, To, Cc) as mail readers read them.
//!
//! RFC 5322 section 3.4 defines the syntax of addresses, section 4.4 the obsolete syntax, and real
//! mail deviates further. Readers differ in how they read such fields, and an impostor writes a
//! From in which the relay finds one author and a person sees another. So this crate does not
//! decide which reading is right. It returns
//!
//! - the [mailboxes](Reading::mailboxes) that a tolerant reader finds in the fields,
//! - all addresses that any reader could [show](Reading::shown), and
//! - the agreement of readers ([`Clarity`]).
//!
//! ```
//! use gatepost_mailboxes::{Clarity, read};
//!
//! let from = read([r#""x@two.example" <ann@one.example>"#]);
//! assert_eq!(from.clarity(), Clarity::Unequivocal);
//! assert_eq!(from.domains().collect::<Vec<_>>(), ["one.example"]);
//!
//! let from = read(["<ceo@bank.example> <a@good.example>"]);
//! assert_eq!(from.clarity(), Clarity::Equivocal);
//! assert_eq!(from.domains().collect::<Vec<_>>(), ["bank.example", "good.example"]);
//! ```
//!
//! Steps of reading a field:
//!
//! 1. It is cut into tokens (`token`): words, comments, quoted strings, and the signs between them.
//! 2. The tokens are read as a list (`list`) of mailboxes and groups. Every deviation from section
//!    3.4 that readers could take in different ways is a [`Doubt`].
//! 3. Some readers do not know nested comments or backslashes. A field with either is read by their
//!    rules, too; a different result is a doubt.
//! 4. If there is a doubt, everything that looks like an address (`scan`) counts as shown, with and
//!    without quotes, comments and encodings. Without a doubt, an address in a display name or a
//!    comment does not count: every reader shows it as a name.
//!
//! All of it takes time in proportion to the length of the field, and no more is read of a field
//! than [`FIELD_LIMIT`] octets and [`ADDRESS_LIMIT`] addresses.

#![forbid(unsafe_code)]

mod domain;
mod encoded_word;
mod field_name;
mod in_name;
mod list;
mod reading;
mod scan;
mod token;

pub use field_name::is_shown_as;
pub use in_name::{in_name, looks_like};
pub use reading::{AddrSpec, Clarity, Doubt, ListedMailbox, Reading};

/// The most octets of a field that are read. With more, the field is [`Clarity::Unreadable`].
pub const FIELD_LIMIT: usize = 64 * 1024;

/// The most addresses that are returned. With more, the fields are [`Clarity::Unreadable`].
pub const ADDRESS_LIMIT: usize = 500;

/// Returns only the [mailboxes](Reading::mailboxes) of a field's body. To find out what other
/// readers could show takes most of the time of [`read`].
pub fn mailboxes(body: impl AsRef<[u8]>) -> Vec<ListedMailbox> {
    reading::mailboxes(body.as_ref())
}

/// Reads the bodies of all fields of one name, folded or unfolded, top to bottom.
pub fn read<B: AsRef<[u8]>>(bodies: impl IntoIterator<Item = B>) -> Reading {
    let mut reader = reading::Reader::default();
    for body in bodies {
        reader.add(body.as_ref());
    }
    reader.finish()
}
