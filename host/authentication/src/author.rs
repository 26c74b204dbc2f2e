//! Who is named in From (RFC 5322 section 3.6.2).

use gatepost_message::{Field, Message};
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use serde::{Deserialize, Serialize};

/// How many are told of. A message has one author, or a few; nobody reads a hundred.
const MOST: usize = 100;

/// One who is named in From.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Author {
    /// The display name, decoded; empty without one.
    pub name: String,
    /// The address as it is written, without angle brackets; empty where there is none.
    pub address: String,
}

/// Everyone in every From field, those in groups too, in order: the first hundred.
pub(crate) fn authors(message: &Message) -> Vec<Author> {
    let fields = message.named("From");
    fields
        .flat_map(|field| of_field(&field))
        .take(MOST)
        .collect()
}

/// Everyone in one field.
pub(crate) fn of_field(field: &Field<'_>) -> Vec<Author> {
    // The parser wants a line end to know that the field is over.
    let body = [field.body_raw(), b"\r\n"].concat();
    let HeaderValue::Address(addresses) = MessageStream::new(&body).parse_address() else {
        return Vec::new();
    };
    let author = |one: &mail_parser::Addr<'_>| Author {
        name: one.name.as_deref().unwrap_or_default().trim().to_owned(),
        // The parser takes what it finds no address in for a name alone.
        address: one.address.as_deref().unwrap_or_default().trim().to_owned(),
    };
    addresses.iter().map(author).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn all_of_them_are_told_apart() {
        let head = "From: \"ann@bank.example\" <ann@sender.example>\r\n\
                    To: x@y.example\r\n\
                    from: Group: =?utf-8?q?J=C3=BCrgen?= <j@a.example>, b@b.example;\r\n\
                    From: Nobody\r\n\
                    From:\r\n\r\n";
        let authors = authors(&Message::from_bytes(Bytes::from(head)));
        let told: Vec<_> = authors
            .iter()
            .map(|author| (author.name.as_str(), author.address.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("ann@bank.example", "ann@sender.example"),
                ("Jürgen", "j@a.example"),
                ("", "b@b.example"),
                ("Nobody", ""),
            ]
        );
    }

    #[test]
    fn a_flood_of_them_is_cut() {
        let head = format!("From: {}\r\n\r\n", "a@b.example,".repeat(1000));
        assert_eq!(authors(&Message::from_bytes(Bytes::from(head))).len(), MOST);
    }
}
