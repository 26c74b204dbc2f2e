//! Header fields by what they mean.
//!
//! [`Message::header`] gives a field as text. Where a policy wants what the text says, it asks for
//! the field by its type:
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
//! What cannot be understood reads as if it were not there: who has to know that a field is there
//! and malformed asks for its text, too.
//!
//! Long fields are read in [part](crate::bounds). Who has to know it asks [`Section::is_cut`] and
//! [`Field::is_cut`].

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
/// A policy may have further ones:
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
    /// The field's name.
    const NAME: &'static str;

    /// What an unfolded and trimmed body says; `None` where it does not say what it should.
    fn parse(value: &str) -> Option<Self>;

    /// A body that says it.
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
    /// The first field of the type's name, if it can be understood.
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

    /// All fields of the type's name that can be understood, top to bottom, in their first
    /// [`bounds::LIST`] octets together.
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

/// Somebody in an address field (RFC 5322 section 3.4).
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
    /// The display name, decoded; empty where there is none.
    pub name: String,
    /// The address.
    pub address: Address,
}
