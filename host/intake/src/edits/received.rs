//! The trace field that the relay adds to every message it accepts (RFC 5321 section 4.4).

use std::net::IpAddr;

use gatepost_message::{Edit, FieldBody, FieldError, FieldName, address_literal};
use gatepost_model::Transaction;

/// Returns the edit that adds the field on top:
///
/// ```text
/// Received: from client.example ([192.0.2.1])
///     by mx.desk.example (Gatepost) with ESMTPS id 0197c1f2-8f6e-7b3a-9d51-3f0c6a2e4b17
///     for <user@desk.example>;
///     Thu, 1 Jan 1970 00:00:00 +0000
/// ```
///
/// The client's name is not looked up in the DNS: its address identifies it. The recipient is named
/// only where it is the only one, so that nobody learns of blind copies (RFC 5321 section 7.2).
///
/// # Errors
/// None in practice: the client's name is written only where it is a domain or a literal.
pub fn edit(transaction: &Transaction, hostname: &str, protocol: &str) -> Result<Edit, FieldError> {
    let session = &transaction.session;
    let from = session.client.map_or_else(String::new, |client| {
        let literal = address_literal(client.ip());
        let helo = session.helo.as_deref();
        let name = helo.filter(|helo| is_domain_or_literal(helo));
        format!("from {} ({literal})\r\n\t", name.unwrap_or(&literal))
    });
    let recipient = match transaction.recipients.as_slice() {
        // In ASCII where possible: a server without SMTPUTF8 may be on the way.
        [only] => format!("\r\n\tfor <{}>", only.to_ascii().as_ref().unwrap_or(only)),
        _ => String::new(),
    };
    Ok(Edit::Add {
        name: FieldName::new("Received")?,
        body: FieldBody::new(&format!(
            "{from}by {hostname} (Gatepost) with {protocol} id {id}\
             {recipient};\r\n\t{date}",
            id = transaction.id,
            date = transaction.time.rfc5322(),
        ))?,
    })
}

/// Returns true if a client's name may stand in the field: letters, digits, hyphens, dots (and
/// underscores, which many machines have in their names), or an address literal. Parentheses,
/// quotes and semicolons have a meaning there.
fn is_domain_or_literal(helo: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    match helo
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => {
            let address = address.strip_prefix("IPv6:").unwrap_or(address);
            address.parse::<IpAddr>().is_ok()
        }
        None => (1..=255).contains(&helo.len()) && helo.chars().all(plain),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gatepost_message::{Message, Millis, ReversePath, TransactionId};
    use gatepost_model::{Flow, Session};

    use super::*;

    fn received(helo: Option<&str>, client: &str, recipients: &[&str]) -> (String, TransactionId) {
        let transaction = Transaction {
            id: TransactionId::new(),
            time: Millis(0),
            session: Session {
                listener: "mx".to_owned(),
                flow: Flow::Inbound,
                transport: gatepost_model::Transport::Smtp,
                client: client.parse().ok(),
                helo: helo.map(str::to_owned),
                tls: None,
                user: None,
            },
            account: None,
            reverse_path: ReversePath::Null,
            recipients: recipients.iter().map(|r| r.parse().unwrap()).collect(),
        };
        let edit = edit(&transaction, "mx.desk.example", "ESMTPS").unwrap();
        let message =
            Message::from_bytes(Bytes::from_static(b"Subject: s\r\n\r\n")).edited(&[edit]);
        let head = String::from_utf8(message.head().to_vec()).unwrap();
        (head, transaction.id)
    }

    #[test]
    fn names_client_relay_protocol_id_recipient_and_date() {
        let (head, id) = received(
            Some("client.example"),
            "192.0.2.1:4000",
            &["user@desk.example"],
        );
        assert_eq!(
            head,
            format!(
                "Received: from client.example ([192.0.2.1])\r\n\
                 \tby mx.desk.example (Gatepost) with ESMTPS id {id}\r\n\
                 \tfor <user@desk.example>;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n\
                 Subject: s\r\n\r\n"
            )
        );
    }

    #[test]
    fn several_recipients_are_not_named() {
        let (head, _) = received(None, "192.0.2.1:1", &["a@desk.example", "b@desk.example"]);
        assert!(!head.contains("for <"), "{head}");
        assert!(!head.contains("desk.example>"), "{head}");
    }

    #[test]
    fn a_name_with_special_characters_is_replaced_by_the_address() {
        for helo in ["x (comment", "a;b", "\"q\"", "[not an address]", ""] {
            let (head, _) = received(Some(helo), "[2001:db8::1]:25", &[]);
            assert!(
                head.starts_with("Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n"),
                "{helo}: {head}"
            );
        }
    }

    #[test]
    fn an_ipv4_client_of_an_ipv6_socket_is_written_as_ipv4() {
        let (head, _) = received(Some("[192.0.2.9]"), "[::ffff:192.0.2.1]:25", &[]);
        assert!(
            head.starts_with("Received: from [192.0.2.9] ([192.0.2.1])\r\n"),
            "{head}"
        );
    }
}
