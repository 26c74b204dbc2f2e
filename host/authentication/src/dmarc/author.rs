//! The author's domain (RFC 9989 section 4.1, RFC 5322 section 3.6.2): what stands after the `@`
//! in From, where there is one From and one domain in it.

use gatepost_message::{Message, domain_to_ascii};

use super::unequivocal;
use crate::author::{Author, of_field};

/// The author's domain in lower-case A-labels, or why there is no single one.
pub(crate) fn domain(message: &Message) -> Result<String, String> {
    let mut fields = message.named("From");
    let field = fields.next().ok_or("there is no From field")?;
    if fields.next().is_some() {
        return Err("there are several From fields".to_owned());
    }
    if !unequivocal::mailboxes(&field.unfolded()) {
        return Err("From can be read in several ways".to_owned());
    }
    let mut author: Option<String> = None;
    for Author { address, .. } in of_field(&field) {
        let of = address
            .rsplit_once('@')
            .and_then(|(_, domain)| host(domain))
            .ok_or("From has an address without a domain")?;
        match &author {
            Some(other) if *other != of => {
                return Err("From has addresses of several domains".to_owned());
            }
            _ => author = Some(of),
        }
    }
    author.ok_or_else(|| "From has no address".to_owned())
}

fn host(domain: &str) -> Option<String> {
    let domain = domain.trim();
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let ascii = domain_to_ascii(domain)?.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    (ascii.len() <= 253 && ascii.split('.').all(is_label)).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn author(head: &str) -> Result<String, String> {
        domain(&Message::from_bytes(Bytes::from(format!("{head}\r\n\r\n"))))
    }

    #[test]
    fn one_domain_is_the_authors() {
        assert_eq!(author("From: a@Example.COM").as_deref(), Ok("example.com"));
        assert_eq!(
            author("from: \"x@bank.example\" <a@b.example>").as_deref(),
            Ok("b.example")
        );
        assert_eq!(
            author("From: A <a@b.example>, C <c@B.example>").as_deref(),
            Ok("b.example")
        );
        assert_eq!(
            author("From: a@bücher.example").as_deref(),
            Ok("xn--bcher-kva.example")
        );
    }

    #[test]
    fn anything_else_is_no_author() {
        for head in [
            "To: a@b.example",
            "From:",
            "From: Somebody",
            "From: <>",
            "From: a@b.example\r\nFrom: a@c.example",
            "From: a@b.example, c@d.example",
            "From: group: a@b.example, c@d.example;",
            "From: a@[192.0.2.1]",
            "From: a@b@c.example",
            "From: <a@b.example> <c@d.example>",
        ] {
            assert!(author(head).is_err(), "{head:?} gave {:?}", author(head));
        }
    }
}
