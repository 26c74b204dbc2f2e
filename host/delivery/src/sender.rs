//! The name in which a message leaves.
//!
//! A plan may say that a message is sent as another address of its account: the default address,
//! while the customer's own service does not take mail. From then names that address, under the
//! same display name, and Sender goes, since it would name the former one. Answers still go to the
//! former one: Reply-To names it, unless the message says itself where they go. The reverse-path is
//! the address that From names.

use gatepost_mailboxes::mailboxes;
use gatepost_message::{Address, Edit, FieldBody, FieldName, Message};

/// Returns the message as one of that author.
pub(crate) fn sent_as(message: &Message, author: &Address) -> Message {
    let (Ok(from), Ok(sender)) = (FieldName::new("From"), FieldName::new("Sender")) else {
        return message.clone();
    };
    let bare = || FieldBody::new(&format!(" <{author}>"));
    let named = display_name(message).map(|name| FieldBody::new(&format!(" {name} <{author}>")));
    let Ok(body) = named.and_then(Result::ok).map_or_else(bare, Ok) else {
        return message.clone();
    };
    let mut edits = vec![
        Edit::Set { name: from, body },
        Edit::Remove { name: sender },
    ];
    edits.extend(reply_to(message));
    message.edited(&edits)
}

/// Returns the edit that has answers go to the authors, if the message does not say where they go.
fn reply_to(message: &Message) -> Option<Edit> {
    if message.header("Reply-To").is_some() {
        return None;
    }
    let from = message.header("From")?;
    let body = FieldBody::new(&format!(" {}", from.trim())).ok()?;
    let name = FieldName::new("Reply-To").ok()?;
    Some(Edit::Set { name, body })
}

/// Returns the display name of the first author as a phrase (RFC 5322 section 3.2.5): encoded words
/// as they are, anything else quoted.
fn display_name(message: &Message) -> Option<String> {
    let from = message.header("From")?;
    let name = mailboxes(&from).into_iter().next()?.name;
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    if name.contains("=?") {
        return Some(name.to_owned());
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    Some(format!("\"{escaped}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author_of(from: &str) -> String {
        let raw = format!("Subject: s\r\nFrom: {from}\r\nSender: old@a.example\r\n\r\nbody\r\n");
        let message = Message::from_bytes(raw.into_bytes().into());
        let sent = sent_as(&message, &"help@desk.example".parse().unwrap());
        assert_eq!(sent.header("Sender"), None);
        sent.header("From").unwrap()
    }

    #[test]
    fn the_display_name_stays_and_the_address_is_another() {
        for (from, wanted) in [
            ("Acme <old@a.example>", "\"Acme\" <help@desk.example>"),
            (
                "\"Acme, \\\"Inc\\\"\" <old@a.example>",
                "\"Acme, \\\"Inc\\\"\" <help@desk.example>",
            ),
            (
                "=?utf-8?q?Ac=C3=A9?= <old@a.example>",
                "=?utf-8?q?Ac=C3=A9?= <help@desk.example>",
            ),
            ("no address", "\"no address\" <help@desk.example>"),
            ("old@a.example", "<help@desk.example>"),
        ] {
            assert_eq!(author_of(from), wanted, "{from}");
        }
    }

    #[test]
    fn answers_go_where_they_went() {
        let reply_to = |fields: &str| {
            let raw = format!("{fields}\r\n\r\nbody\r\n");
            let message = Message::from_bytes(raw.into_bytes().into());
            let sent = sent_as(&message, &"help@desk.example".parse().unwrap());
            sent.header("Reply-To")
        };
        let from = "From: Acme <old@a.example>";
        assert_eq!(reply_to(from).as_deref(), Some("Acme <old@a.example>"));
        let asked = format!("{from}\r\nReply-To: ann@a.example");
        assert_eq!(reply_to(&asked).as_deref(), Some("ann@a.example"));
    }
}
