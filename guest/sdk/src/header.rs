//! Header fields with types.
//!
//! [`Message::header`] gives a field as text. A policy that wants its meaning asks for the field by
//! its type:
//!
//! ```
//! use gatepost_sdk::*;
//! use gatepost_sdk::header::{AutoSubmitted, From, Headers, MessageId};
//!
//! /// Our own monitoring, which says that it is one.
//! fn is_monitoring(message: &dyn Message) -> bool {
//!     let by_machine = message.read::<AutoSubmitted>() == Some(AutoSubmitted::Generated);
//!     let from = message.read::<From>().unwrap_or_default();
//!     by_machine && from.0.iter().any(|author| author.address.is_at("desk.example", false))
//! }
//!
//! /// Answers name what they answer.
//! fn is_answer(message: &dyn Message) -> bool {
//!     !message.read::<header::References>().unwrap_or_default().0.is_empty()
//! }
//!
//! let mut decision = Decision::default();
//! decision.set(&MessageId("1@desk.example".into()));
//! assert_eq!(
//!     decision.actions(),
//!     [Action::SetHeader("Message-ID".into(), "<1@desk.example>".into())]
//! );
//! ```
//!
//! A field that cannot be understood reads as if it were absent. A policy that has to tell a
//! malformed field from an absent one asks for its text, too.
//!
//! Long fields are read in [part](crate::bounds). [`Section::is_cut`] and [`Field::is_cut`] tell if
//! something is missing.

mod fields;
pub(crate) mod read;
mod section;
mod write;

pub use fields::{
    AutoSubmitted, Cc, From, InReplyTo, ListId, MessageId, References, ReplyTo, Sender, Subject, To,
};
pub use section::{Field, Section};
pub use write::encoded;

use crate::{Address, Message, bounds};

/// A field that has a type.
///
/// A policy may define further ones:
///
/// ```
/// use gatepost_sdk::header::Header;
///
/// /// How urgent somebody thinks that it is, from 1, the most.
/// #[derive(Debug, PartialEq)]
/// struct Priority(u8);
///
/// impl Header for Priority {
///     const NAME: &'static str = "X-Priority";
///
///     fn parse(value: &str) -> Option<Self> {
///         value.split_whitespace().next()?.parse().ok().map(Self)
///     }
///
///     fn write(&self) -> String {
///         self.0.to_string()
///     }
/// }
///
/// assert_eq!(Priority::parse("1 (Highest)"), Some(Priority(1)));
/// ```
pub trait Header: Sized {
    /// Name of the field.
    const NAME: &'static str;

    /// Reads an unfolded and trimmed body; `None` if it is malformed.
    fn parse(value: &str) -> Option<Self>;

    /// Writes the body.
    fn write(&self) -> String;
}

/// Reads fields by their types.
///
/// ```
/// use gatepost_sdk::Message;
/// use gatepost_sdk::header::{Headers, ListId};
///
/// fn is_of_list(message: &dyn Message, list: &str) -> bool {
///     message.read::<ListId>().is_some_and(|id| id.0 == list)
/// }
/// ```
pub trait Headers {
    /// Reads the first field of the type's name; `None` if it is absent or malformed.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// use gatepost_sdk::header::{Headers, Subject};
    ///
    /// /// The subject in characters, whatever charset it came in.
    /// fn subject(message: &dyn Message) -> String {
    ///     message.read::<Subject>().unwrap_or_default().0
    /// }
    /// ```
    fn read<H: Header>(&self) -> Option<H>;

    /// Reads all well-formed fields of the type's name, top to bottom, within their first
    /// [`bounds::LIST`] octets in total.
    ///
    /// ```
    /// # use gatepost_sdk::*;
    /// use gatepost_sdk::header::{Headers, To};
    ///
    /// fn addressees(message: &dyn Message) -> usize {
    ///     message.read_all::<To>().iter().map(|to| to.0.len()).sum()
    /// }
    /// ```
    fn read_all<H: Header>(&self) -> Vec<H>;
}

impl<M: Message + ?Sized> Headers for M {
    fn read<H: Header>(&self) -> Option<H> {
        self.header(H::NAME).and_then(|value| H::parse(&value))
    }

    fn read_all<H: Header>(&self) -> Vec<H> {
        let mut left = bounds::LIST;
        let section = self.section();
        let values = section.named(H::NAME).map(|field| field.value());
        let values = values.map_while(|value| {
            let value = bounds::list(&value, left).to_owned();
            left -= value.len();
            (left > 0).then_some(value)
        });
        values.filter_map(|value| H::parse(&value)).collect()
    }
}

/// Mailbox in an address field (RFC 5322 section 3.4).
///
/// ```
/// use gatepost_sdk::header::{From, Header};
///
/// let from = From::parse("=?utf-8?q?Andr=C3=A9?= <Andre@x.example>").unwrap();
/// assert_eq!(from.0[0].name, "André");
/// assert_eq!(from.0[0].address.as_str(), "andre@x.example");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name, decoded; empty if there is none.
    pub name: String,
    /// Address of the mailbox.
    pub address: Address,
}
