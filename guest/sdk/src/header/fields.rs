//! Types of the fields that policies ask for most.

use super::{Header, Mailbox, read};
use crate::Address;

/// Returns every mailbox of an address field that has an address, including those in groups, within
/// the [bounds](crate::bounds).
fn mailboxes(value: &str) -> Option<Vec<Mailbox>> {
    let all = read::addresses(value).into_iter();
    let all = all.filter_map(|(name, address)| {
        let address: Address = address.parse().ok()?;
        Some(Mailbox { name, address })
    });
    let all: Vec<_> = all.collect();
    (!all.is_empty()).then_some(all)
}

/// Writes the addresses alone: a name may need an encoding, and nothing depends on it.
fn write_addresses(mailboxes: &[Mailbox]) -> String {
    let all: Vec<_> = mailboxes
        .iter()
        .map(|mailbox| format!("<{}>", mailbox.address))
        .collect();
    all.join(", ")
}

macro_rules! address_fields {
    ($($(#[$doc:meta])* $type:ident = $name:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $type(pub Vec<Mailbox>);

        impl Header for $type {
            const NAME: &'static str = $name;

            fn parse(value: &str) -> Option<Self> {
                mailboxes(value).map(Self)
            }

            /// Writes addresses without their display names.
            fn write(&self) -> String {
                write_addresses(&self.0)
            }
        }
    )*};
}

address_fields! {
    /// Authors of the message (RFC 5322 section 3.6.2).
    ///
    /// ```
    /// use gatepost_sdk::header::{From, Header};
    /// let from = From::parse("Ann <ann@x.example>, bob@x.example").unwrap();
    /// assert_eq!(from.write(), "<ann@x.example>, <bob@x.example>");
    /// ```
    From = "From";
    /// Mailbox that sent the message for its authors (RFC 5322 section 3.6.2).
    ///
    /// ```
    /// use gatepost_sdk::header::{Header, Sender};
    /// assert_eq!(Sender::parse("(nobody)"), None);
    /// ```
    Sender = "Sender";
    /// Mailboxes to which replies go (RFC 5322 section 3.6.2).
    ///
    /// ```
    /// use gatepost_sdk::header::{Header, ReplyTo};
    /// assert_eq!(ReplyTo::parse("list@x.example").unwrap().0[0].name, "");
    /// ```
    ReplyTo = "Reply-To";
    /// Primary recipients (RFC 5322 section 3.6.3).
    ///
    /// ```
    /// use gatepost_sdk::header::{Header, To};
    /// let to = To::parse("Friends: ann@x.example, bob@x.example;").unwrap();
    /// assert_eq!(to.0.len(), 2);
    /// ```
    To = "To";
    /// Further recipients (RFC 5322 section 3.6.3).
    ///
    /// ```
    /// use gatepost_sdk::header::{Cc, Header};
    /// assert!(Cc::parse("ann@x.example").is_some());
    /// ```
    Cc = "Cc";
}

/// Topic of the message (RFC 5322 section 3.6.5), decoded.
///
/// ```
/// use gatepost_sdk::header::{Header, Subject};
/// let subject = Subject::parse("=?iso-8859-1?q?Gr=FC=DFe?=").unwrap();
/// assert_eq!(subject.0, "Grüße");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject(pub String);

impl Header for Subject {
    const NAME: &'static str = "Subject";

    fn parse(value: &str) -> Option<Self> {
        Some(Self(read::decoded(value)))
    }

    /// Writes the text in [encoded words](super::encoded) if it needs them.
    fn write(&self) -> String {
        super::encoded(&self.0).into_owned()
    }
}

/// Id of the message (RFC 5322 section 3.6.4), without angle brackets.
///
/// ```
/// use gatepost_sdk::header::{Header, MessageId};
/// assert_eq!(MessageId::parse("<1@x.example>"), Some(MessageId("1@x.example".into())));
/// assert_eq!(MessageId::parse("1@x.example"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(pub String);

impl Header for MessageId {
    const NAME: &'static str = "Message-ID";

    fn parse(value: &str) -> Option<Self> {
        read::ids(value).into_iter().next().map(Self)
    }

    fn write(&self) -> String {
        format!("<{}>", self.0)
    }
}

macro_rules! id_fields {
    ($($(#[$doc:meta])* $type:ident = $name:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $type(pub Vec<String>);

        impl Header for $type {
            const NAME: &'static str = $name;

            fn parse(value: &str) -> Option<Self> {
                let ids = read::ids(value);
                (!ids.is_empty()).then_some(Self(ids))
            }

            fn write(&self) -> String {
                let ids: Vec<_> = self.0.iter().map(|id| format!("<{id}>")).collect();
                ids.join(" ")
            }
        }
    )*};
}

id_fields! {
    /// Ids of the messages that this one answers (RFC 5322 section 3.6.4), without angle brackets.
    ///
    /// ```
    /// use gatepost_sdk::header::{Header, InReplyTo};
    /// let ids = InReplyTo::parse("Your message of Monday <1@x.example>").unwrap();
    /// assert_eq!(ids.0, ["1@x.example"]);
    /// ```
    InReplyTo = "In-Reply-To";
    /// Ids of the earlier messages of the thread, oldest first (RFC 5322 section 3.6.4), without
    /// angle brackets.
    ///
    /// ```
    /// use gatepost_sdk::header::{Header, References};
    /// let ids = References::parse("<1@x.example> <2@x.example>").unwrap();
    /// assert_eq!(ids.0.last().unwrap(), "2@x.example");
    /// ```
    References = "References";
}

/// Origin of the message: a person, or a machine and its occasion (RFC 3834 section 5).
///
/// ```
/// use gatepost_sdk::header::{AutoSubmitted, Header};
/// let value = "auto-replied (vacation); owner-email=\"ann@x.example\"";
/// assert_eq!(AutoSubmitted::parse(value), Some(AutoSubmitted::Replied));
/// assert_eq!(AutoSubmitted::Generated.write(), "auto-generated");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AutoSubmitted {
    /// `no`: made by a person.
    No,
    /// `auto-generated`: made by a machine of its own accord.
    Generated,
    /// `auto-replied`: made by a machine in answer.
    Replied,
    /// Another word, perhaps of a later standard; as it is not `no`, a machine's (RFC 3834 section
    /// 5).
    Other(String),
}

impl Header for AutoSubmitted {
    const NAME: &'static str = "Auto-Submitted";

    fn parse(value: &str) -> Option<Self> {
        let plain = read::without_comments(value).to_ascii_lowercase();
        let word = plain.split(';').next().unwrap_or_default().trim();
        Some(match word {
            "" => return None,
            "no" => Self::No,
            "auto-generated" => Self::Generated,
            "auto-replied" => Self::Replied,
            other => Self::Other(other.to_owned()),
        })
    }

    fn write(&self) -> String {
        match self {
            Self::No => "no".to_owned(),
            Self::Generated => "auto-generated".to_owned(),
            Self::Replied => "auto-replied".to_owned(),
            Self::Other(word) => word.clone(),
        }
    }
}

/// Id of the mailing list that the message came through (RFC 2919), without the list's name and
/// angle brackets.
///
/// ```
/// use gatepost_sdk::header::{Header, ListId};
/// let list = ListId::parse("The printers <printers.list.example>").unwrap();
/// assert_eq!(list.0, "printers.list.example");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListId(pub String);

impl Header for ListId {
    const NAME: &'static str = "List-Id";

    fn parse(value: &str) -> Option<Self> {
        let (_, id) = value.rsplit_once('<')?;
        let (id, _) = id.split_once('>')?;
        let id = id.trim().to_ascii_lowercase();
        (!id.is_empty()).then_some(Self(id))
    }

    fn write(&self) -> String {
        format!("<{}>", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Asserts that a header reads as it was written.
    fn assert_round_trip<H: Header + PartialEq + std::fmt::Debug>(header: H) {
        assert_eq!(H::parse(&header.write()), Some(header));
    }

    #[test]
    fn written_headers_read_the_same() {
        let mailbox = |address: &str| Mailbox {
            name: String::new(),
            address: address.parse().unwrap(),
        };
        let all = vec![mailbox("ann@x.example"), mailbox("\"a b\"@x.example")];
        assert_round_trip(To(all.clone()));
        assert_round_trip(From(all[..1].to_vec()));
        assert_round_trip(Subject("Grüße".to_owned()));
        assert_round_trip(MessageId("1.2@x.example".to_owned()));
        assert_round_trip(References(vec![
            "1@x.example".to_owned(),
            "2@x.example".to_owned(),
        ]));
        assert_round_trip(ListId("a.example".to_owned()));
        for word in [
            AutoSubmitted::No,
            AutoSubmitted::Generated,
            AutoSubmitted::Replied,
            AutoSubmitted::Other("auto-notified".to_owned()),
        ] {
            assert_round_trip(word);
        }
    }

    proptest! {
        #[test]
        fn parsing_any_text_does_not_panic(text in any::<String>()) {
            From::parse(&text);
            Subject::parse(&text);
            MessageId::parse(&text);
            References::parse(&text);
            AutoSubmitted::parse(&text);
            ListId::parse(&text);
        }
    }
}
