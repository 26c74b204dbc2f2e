//! The envelope of a stored message, where the command line does not give it.

use gatepost_message::{Address, Message, ReversePath};

use gatepost_intake::ownership::{Ownership, Whose};

/// The most recipients taken from a header: what every server has to take (RFC 5321 section
/// 4.5.3.1.8).
const MOST: usize = 100;

/// The reverse-path, as far as the message tells.
pub(super) fn reverse_path(message: &Message) -> ReversePath {
    if let Some(path) = message.header("Return-Path")
        && let Ok(path) = ReversePath::parse(bare(&path))
    {
        return path;
    }
    match addresses(message, "From").into_iter().next() {
        Some(address) => address.into(),
        None => ReversePath::Null,
    }
}

/// The recipients, as far as the message tells; at least one.
pub(super) fn recipients(
    message: &Message,
    ownership: Ownership<'_>,
    inbound: bool,
) -> Vec<Address> {
    let config = ownership.config;
    let ours = |address: &Address| !inbound || matches!(ownership.recipient(address), Whose::Of(_));
    let delivered = ["Delivered-To", "X-Original-To"]
        .into_iter()
        .filter_map(|name| Address::parse(bare(&message.header(name)?)).ok())
        .find(|address| ours(address));
    if let Some(address) = delivered {
        return vec![address];
    }
    let mut recipients = addresses(message, "To");
    recipients.retain(ours);
    recipients.truncate(MOST);
    if recipients.is_empty() {
        let mut domains = config.accounts.iter().flat_map(|account| &account.domains);
        let domain = domains.next().unwrap_or(&config.relay.hostname);
        recipients.extend(Address::parse(&format!("postmaster@{domain}")));
    }
    recipients
}

/// The message as it was before the delivery that stored it: without the Delivered-To field on top,
/// where that names the recipient. Left there, it would say that the message comes a second time.
pub(super) fn undelivered(message: Message, recipients: &[Address]) -> Message {
    let Some(first) = message.named("Delivered-To").next() else {
        return message;
    };
    let is_recipient = |address: Address| recipients.contains(&address);
    if !Address::parse(bare(&first.unfolded())).is_ok_and(is_recipient) {
        return message;
    }
    // The others stay where they are: what stands below them tells who wrote them.
    message.without(|field| std::ptr::eq(field.raw(), first.raw()))
}

/// The well-formed addresses of the first field of that name.
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

/// Without the angle brackets, where there are any.
fn bare(path: &str) -> &str {
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
    fn the_mark_of_the_delivery_that_stored_it_is_taken_off() {
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
            let message = undelivered(message(head), &recipients);
            assert_eq!(message.headers_named("Delivered-To"), expected, "{head}");
        }
    }

    #[test]
    fn what_stood_below_it_stays_where_it_is() {
        let recipients = ["a@x.example".parse().unwrap()];
        let below = "Received: by mx.desk.example\r\nDelivered-To: a@x.example\r\n\r\n";
        let stored = format!("Delivered-To: a@x.example\r\n{below}");
        let stored = Message::from_bytes(Bytes::from(stored));
        assert_eq!(undelivered(stored, &recipients).head(), below);
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
