//! References of a message that a service gives another Message-ID.
//!
//! Replies name the ids of References and the one that the service has given (RFC 5322 section
//! 3.6.4). With our own id in References they name that, too, whatever the service does.

use gatepost_message::{Edit, FieldBody, FieldName, Message, bare_message_id};

/// Returns our Message-ID of a message, without angle brackets.
pub(crate) fn message_id(message: &Message) -> Option<String> {
    let id = message.header("Message-ID")?;
    bare_message_id(&id).map(ToOwned::to_owned)
}

/// Returns the message with its own Message-ID as the last in References. A message without
/// References has there first what it answers: readers look there before they look at In-Reply-To.
pub(crate) fn naming_itself(message: &Message) -> Message {
    let Some(own) = message_id(message) else {
        return message.clone();
    };
    let own = format!("<{own}>");
    let before = ["References", "In-Reply-To"].map(|name| message.header(name));
    let before = before.into_iter().flatten().next().unwrap_or_default();
    let mut ids: Vec<&str> = before.split_whitespace().collect();
    if ids.contains(&&*own) {
        return message.clone();
    }
    ids.push(&own);
    // One on a line: no line is longer than the longest of them.
    let (name, body) = (
        FieldName::new("References"),
        FieldBody::new(&ids.join("\r\n\t")),
    );
    match (name, body) {
        (Ok(name), Ok(body)) => message.edited(&[Edit::Set { name, body }]),
        _ => message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(head: &str) -> (Option<String>, Vec<u8>) {
        let raw = format!("{head}Subject: s\r\n\r\nbody\r\n").into_bytes();
        let named = naming_itself(&Message::from_bytes(raw.into()));
        let ids = named.header("References");
        let ids = ids.map(|ids| ids.split_whitespace().collect::<Vec<_>>().join(" "));
        (ids, named.to_bytes().unwrap().to_vec())
    }

    #[test]
    fn a_message_names_itself_last() {
        for (head, wanted) in [
            ("Message-ID: <3@x>\r\n", Some("<3@x>")),
            (
                "Message-ID: <3@x>\r\nIn-Reply-To: <2@x>\r\n",
                Some("<2@x> <3@x>"),
            ),
            (
                "References: <1@x>\r\n <2@x>\r\nMessage-ID: <3@x>\r\nIn-Reply-To: <2@x>\r\n",
                Some("<1@x> <2@x> <3@x>"),
            ),
            ("References: <3@x>\r\nMessage-ID: <3@x>\r\n", Some("<3@x>")),
            ("References: <1@x>\r\n", Some("<1@x>")),
            ("Message-ID: not an id\r\n", None),
            ("", None),
        ] {
            assert_eq!(references(head).0.as_deref(), wanted, "{head}");
        }
    }

    #[test]
    fn no_line_becomes_too_long() {
        let id = format!("<{}@x>", "1".repeat(200));
        let head = format!(
            "References: {}\r\nMessage-ID: <3@x>\r\n",
            [&*id; 20].join("\r\n ")
        );
        let (_, octets) = references(&head);
        let longest = octets.split(|octet| *octet == b'\n').map(<[u8]>::len).max();
        assert!(longest.unwrap() < 300, "{longest:?}");
    }
}
