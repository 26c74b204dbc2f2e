//! Recipients and messages that a bounce names: it counts as mail from the recipient that failed,
//! not from the mail system that sent it.

use std::collections::BTreeSet;

use gatepost_sdk::{Message, canonical};

/// Bytes of a bounce that are read.
const READ_BYTES: u32 = 24 << 10;

/// Most addresses that are taken from one bounce.
const MAX_ADDRESSES: usize = 16;

/// Most message ids that are taken from one bounce.
const MAX_IDS: usize = 4;

/// Addresses and message ids that stand in a bounce.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NamedInBounce {
    /// Addresses in canonical form, in the order of the text. The recipients that failed are among
    /// the first, in a report (RFC 3464 section 2.3), in a field, or in the text of a mail system
    /// that writes no report.
    pub addresses: Vec<String>,
    /// Message ids of the returned message (RFC 3462 section 2).
    pub ids: Vec<String>,
}

impl NamedInBounce {
    /// Reads a bounce; leaves out the addresses at which it has arrived.
    pub fn read(message: &dyn Message, ours: &[String]) -> Self {
        let ours: BTreeSet<String> = ours.iter().map(|to| canonical(to)).collect();
        let mut named = Self::default();
        for field in message.headers_named("X-Failed-Recipients") {
            named.take_addresses(&field, &ours);
        }
        let body = message.body_chunk(0, READ_BYTES);
        let body = String::from_utf8_lossy(&body);
        for line in body.lines() {
            match line.split_once(':') {
                Some((field, id)) if field.eq_ignore_ascii_case("message-id") => {
                    let id = id.trim().trim_matches(['<', '>']);
                    if named.ids.len() < MAX_IDS && !id.is_empty() {
                        named.ids.push(id.to_owned());
                    }
                }
                _ => named.take_addresses(line, &ours),
            }
        }
        named
    }

    fn take_addresses(&mut self, text: &str, ours: &BTreeSet<String>) {
        if !text.contains('@') {
            return;
        }
        let ends = |c: char| c.is_whitespace() || "<>,;:\"'()[]".contains(c);
        for word in text.split(ends).filter(|word| word.contains('@')) {
            if self.addresses.len() == MAX_ADDRESSES {
                return;
            }
            let address = canonical(word.trim_end_matches('.'));
            if !ours.contains(&address) && !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatepost_message::Message as Octets;
    use gatepost_sdk::native::Mail;

    use super::*;

    fn named(text: &'static str) -> NamedInBounce {
        let message = Octets::from_bytes(text.as_bytes().into());
        NamedInBounce::read(&Mail(&message), &["Help+7@desk.example".to_owned()])
    }

    #[test]
    fn a_bounce_names_its_recipient_in_whatever_form() {
        for text in [
            "From: x\r\n\r\nFinal-Recipient: rfc822; Ann+1@b.example\r\n",
            "From: x\r\n\r\nFinal-Recipient: rfc822;ann@b.example\r\n",
            "X-Failed-Recipients: ann@b.example\r\n\r\nSorry, help@desk.example\r\n",
            "From: x\r\n\r\n<ann@b.example>:\r\nSorry, no mailbox here by that name.\r\n",
            "From: x\r\n\r\nYour message to ann@b.example. was not delivered\r\n",
        ] {
            assert_eq!(named(text).addresses, ["ann@b.example"], "{text}");
        }
    }

    #[test]
    fn the_message_id_of_the_returned_message_is_read() {
        let named =
            named("From: x\r\n\r\n--b\r\n\r\nMessage-Id: <n1@desk.example>\r\nTo: a@b.example\r\n");
        assert_eq!(named.ids, ["n1@desk.example"]);
        assert_eq!(named.addresses, ["a@b.example"]);
    }

    #[test]
    fn addresses_of_a_bounce_are_bounded() {
        let many: String = (0..1000).map(|n| format!("a{n}@b.example\r\n")).collect();
        let message = Octets::from_bytes(format!("From: x\r\n\r\n{many}").into_bytes().into());
        assert_eq!(
            NamedInBounce::read(&Mail(&message), &[]).addresses.len(),
            MAX_ADDRESSES
        );
    }
}
