//! Envelope of a stored message, where the command line does not give it.

use gatepost_message::{Address, Message, ReversePath};

use gatepost_intake::ownership::{Ownership, RecipientOwner};

/// Maximum number of recipients taken from a header section: as many as every server has to accept
/// (RFC 5321 section 4.5.3.1.8).
const MAX_RECIPIENTS: usize = 100;

/// Returns the reverse-path that the message suggests.
pub(crate) fn reverse_path(message: &Message) -> ReversePath {
    if let Some(path) = message.header("Return-Path")
        && let Ok(path) = ReversePath::parse(without_brackets(&path))
    {
        return path;
    }
    match addresses(message, "From").into_iter().next() {
        Some(address) => address.into(),
        None => ReversePath::Null,
    }
}

/// Returns the recipients that the message suggests; at least one.
pub(crate) fn recipients(
    message: &Message,
    ownership: Ownership<'_>,
    inbound: bool,
) -> Vec<Address> {
    let config = ownership.config;
    let ours = |address: &Address| {
        !inbound || matches!(ownership.owner_of(address), RecipientOwner::Account(_))
    };
    let delivered = ["Delivered-To", "X-Original-To"]
        .into_iter()
        .filter_map(|name| Address::parse(without_brackets(&message.header(name)?)).ok())
        .find(|address| ours(address));
    if let Some(address) = delivered {
        return vec![address];
    }
    let mut recipients = addresses(message, "To");
    recipients.retain(ours);
    recipients.truncate(MAX_RECIPIENTS);
    if recipients.is_empty() {
        let mut domains = config.accounts.iter().flat_map(|account| &account.domains);
        let domain = domains.next().unwrap_or(&config.relay.hostname);
        recipients.extend(Address::parse(&format!("postmaster@{domain}")));
    }
    recipients
}

/// Returns the message as it was before the delivery that stored it: without the Delivered-To field
/// on top, if that names a recipient. With the field, the message would look like a loop.
pub(crate) fn without_delivery_mark(message: Message, recipients: &[Address]) -> Message {
    let Some(first) = message.named("Delivered-To").next() else {
        return message;
    };
    let is_recipient = |address: Address| recipients.contains(&address);
    if !Address::parse(without_brackets(&first.unfolded())).is_ok_and(is_recipient) {
        return message;
    }
    // Other Delivered-To fields stay: their position shows who wrote them.
    message.without(|field| std::ptr::eq(field.raw(), first.raw()))
}

/// Returns the valid addresses in the first field of that name.
fn addresses(message: &Message, name: &str) -> Vec<Address> {
    let Some(field) = message.named(name).next() else {
        return Vec::new();
    };
    let reading = gatepost_mailboxes::read([field.body_raw()]);
    let addresses = reading.addresses();
    addresses
        .filter_map(|address| Address::parse(&address.to_string()).ok())
        .collect()
}

/// Removes angle brackets around a path, if there are any.
fn without_brackets(path: &str) -> &str {
    let path = path.trim();
    path.strip_prefix('<')
        .and_then(|path| path.strip_suffix('>'))
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use gatepost_directory::View;

    use super::*;
    use gatepost_config::Config;

    fn message(head: &'static str) -> Message {
        Message::from_bytes(Bytes::from_static(head.as_bytes()))
    }

    #[test]
    fn the_return_path_goes_before_from() {
        for (head, expected) in [
            (
                "Return-Path: <a@x.example>\r\nFrom: B <b@x.example>\r\n\r\n",
                "a@x.example",
            ),
            ("Return-Path: <>\r\nFrom: b@x.example\r\n\r\n", ""),
            ("Return-Path: a@x.example\r\n\r\n", "a@x.example"),
            (
                "From: \"B, C\" <b@x.example>, d@x.example\r\n\r\n",
                "b@x.example",
            ),
            ("From: nobody\r\n\r\n", ""),
            ("Subject: s\r\n\r\n", ""),
        ] {
            assert_eq!(reverse_path(&message(head)).as_str(), expected, "{head}");
        }
    }

    #[test]
    fn the_delivered_to_field_of_the_storing_delivery_is_removed() {
        let recipients = ["a@x.example".parse().unwrap()];
        for (head, expected) in [
            ("Delivered-To: a@x.example\r\n\r\n", &[][..]),
            ("Delivered-To: b@x.example\r\n\r\n", &["b@x.example"]),
            (
                "Delivered-To: <a@x.example>\r\nDelivered-To: a@x.example\r\nDelivered-To: b@x.example\r\n\r\n",
                &["a@x.example", "b@x.example"],
            ),
            ("Subject: s\r\n\r\n", &[]),
        ] {
            let message = without_delivery_mark(message(head), &recipients);
            assert_eq!(message.headers_named("Delivered-To"), expected, "{head}");
        }
    }

    #[test]
    fn fields_below_a_removed_delivered_to_stay() {
        let recipients = ["a@x.example".parse().unwrap()];
        let below = "Received: by mx.desk.example\r\nDelivered-To: a@x.example\r\n\r\n";
        let stored = format!("Delivered-To: a@x.example\r\n{below}");
        let stored = Message::from_bytes(Bytes::from(stored));
        assert_eq!(without_delivery_mark(stored, &recipients).head(), below);
    }

    #[test]
    fn the_recipient_is_the_one_delivered_to_else_those_of_to() {
        let (config, directory) = (Config::builtin(), View::empty());
        let ownership = Ownership {
            config: &config,
            directory: &directory,
        };
        for (head, expected) in [
            (
                "Delivered-To: a@x.example\r\nTo: b@x.example\r\n\r\n",
                &["a@x.example"][..],
            ),
            (
                "X-Original-To: <a@x.example>\r\nTo: b@x.example\r\n\r\n",
                &["a@x.example"],
            ),
            (
                "To: b@x.example, C <c@y.example>\r\n\r\n",
                &["b@x.example", "c@y.example"],
            ),
            (
                "To: Friends: b@x.example, c@y.example;\r\n\r\n",
                &["b@x.example", "c@y.example"],
            ),
            (
                "To: undisclosed-recipients:;\r\n\r\n",
                &["postmaster@localhost"],
            ),
            ("Subject: s\r\n\r\n", &["postmaster@localhost"]),
        ] {
            let recipients = recipients(&message(head), ownership, true);
            let texts: Vec<&str> = recipients.iter().map(Address::as_str).collect();
            assert_eq!(texts, expected, "{head}");
        }
    }
}
