//! The parameters of MAIL and RCPT, and what becomes of addresses and messages that a server
//! cannot be given as they are.

use gatepost_message::ReversePath;

use super::{Capabilities, LongLines, Transaction};
use crate::dsn::{MessageRequest, Recipient, RecipientRequest, Ret};
use crate::reply::Reply;

/// Whether MAIL has to say SMTPUTF8 (RFC 6531 section 3.4): for an address or a header section
/// outside ASCII.
fn is_international(transaction: &Transaction) -> bool {
    let ascii = |recipient: &Recipient| recipient.address.is_ascii();
    transaction.smtputf8
        || !transaction.reverse_path.as_str().is_ascii()
        || !transaction.recipients.iter().all(ascii)
}

/// The MAIL command.
pub(super) fn mail(transaction: &Transaction, offer: &Capabilities) -> String {
    let mut line = format!("MAIL FROM:<{}>", transaction.reverse_path);
    if offer.size {
        line.push_str(&format!(" SIZE={}", transaction.size));
    }
    if transaction.eight_bit {
        line.push_str(" BODY=8BITMIME");
    }
    if offer.smtputf8 && is_international(transaction) {
        line.push_str(" SMTPUTF8");
    }
    if offer.dsn {
        line.push_str(&of_message(&transaction.dsn));
    }
    line
}

/// The RCPT command.
pub(super) fn recipient(recipient: &Recipient, offer: &Capabilities) -> String {
    let mut line = format!("RCPT TO:<{}>", recipient.address);
    if offer.dsn {
        line.push_str(&of_recipient(&recipient.dsn));
    }
    line
}

/// What MAIL says of notifications: all that the sender asked for, and nothing else (RFC 3461
/// section 5.2.1).
fn of_message(dsn: &MessageRequest) -> String {
    let mut parameters = match dsn.ret {
        Some(Ret::Full) => " RET=FULL".to_owned(),
        Some(Ret::Headers) => " RET=HDRS".to_owned(),
        None => String::new(),
    };
    if let Some(id) = &dsn.envelope_id {
        parameters.push_str(&format!(" ENVID={}", id.to_xtext()));
    }
    parameters
}

/// The same for RCPT. An ORCPT could be added where the sender gave none, but no recipient is
/// rewritten here, so it would only repeat the forward-path.
fn of_recipient(dsn: &RecipientRequest) -> String {
    let mut parameters = String::new();
    if let Some(notify) = dsn.notify {
        parameters.push_str(&format!(" NOTIFY={}", notify.value()));
    }
    if let Some(original) = &dsn.original {
        parameters.push_str(&format!(" ORCPT={}", original.value()));
    }
    parameters
}

/// Makes of the envelope what a server that offers this can be given: without SMTPUTF8, domains
/// become A-labels. The answer has a reply for each recipient that cannot be sent the message,
/// because it would have to be changed first (RFC 6152 section 3, RFC 6531 section 3.2).
pub(super) fn fit(transaction: &mut Transaction, offer: &Capabilities) -> Vec<Option<Reply>> {
    let whole = unsendable(transaction, offer);
    let mut replies = Vec::with_capacity(transaction.recipients.len());
    for recipient in &mut transaction.recipients {
        let reply = match recipient.address.to_ascii() {
            _ if whole.is_some() || offer.smtputf8 => whole.clone(),
            Some(ascii) => {
                recipient.address = ascii;
                None
            }
            None => Some(needs_smtputf8("The recipient's address")),
        };
        replies.push(reply);
    }
    replies
}

/// Why the message cannot be sent to anybody at this server, if so.
fn unsendable(transaction: &mut Transaction, offer: &Capabilities) -> Option<Reply> {
    if !offer.smtputf8 {
        if transaction.smtputf8 {
            return Some(needs_smtputf8("The header section"));
        }
        if let ReversePath::Address(sender) = &mut transaction.reverse_path {
            match sender.to_ascii() {
                Some(ascii) => *sender = ascii,
                None => return Some(needs_smtputf8("The sender's address")),
            }
        }
    }
    if transaction.eight_bit && !offer.eight_bit_mime {
        return Some(Reply::new(
            554,
            "5.6.3",
            "Message holds 8-bit octets and the next hop does not offer 8BITMIME",
        ));
    }
    if transaction.long_lines == LongLines::ByChunk && !offer.chunking {
        return Some(Reply::new(
            554,
            "5.6.0",
            "Message has lines of more than 998 octets and the next hop does not offer CHUNKING",
        ));
    }
    None
}

fn needs_smtputf8(what: &str) -> Reply {
    let text = format!("{what} needs SMTPUTF8, which the next hop does not offer");
    Reply::new(553, "5.6.7", text)
}
