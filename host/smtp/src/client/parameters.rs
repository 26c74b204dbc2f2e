//! Parameters of MAIL and RCPT, and the treatment of addresses and messages that a server does not
//! accept as they are.

use gatepost_message::ReversePath;

use super::{Capabilities, LongLines, Transaction};
use crate::dsn::{MessageRequest, Recipient, RecipientRequest, Ret};
use crate::reply::Reply;

/// Returns true if MAIL has to announce SMTPUTF8 (RFC 6531 section 3.4): for an address or a header
/// section outside ASCII.
fn is_international(transaction: &Transaction) -> bool {
    let ascii = |recipient: &Recipient| recipient.address.is_ascii();
    transaction.smtputf8
        || !transaction.reverse_path.as_str().is_ascii()
        || !transaction.recipients.iter().all(ascii)
}

/// Returns the MAIL command.
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
        line.push_str(&mail_dsn(&transaction.dsn));
    }
    line
}

/// Returns the RCPT command.
pub(super) fn recipient(recipient: &Recipient, offer: &Capabilities) -> String {
    let mut line = format!("RCPT TO:<{}>", recipient.address);
    if offer.dsn {
        line.push_str(&rcpt_dsn(&recipient.dsn));
    }
    line
}

/// Returns the DSN parameters of MAIL: all that the sender asked for, and nothing else (RFC 3461
/// section 5.2.1).
fn mail_dsn(dsn: &MessageRequest) -> String {
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

/// Returns the DSN parameters of RCPT. An ORCPT could be added where the sender gave none, but no
/// recipient is rewritten here, so it would only repeat the forward-path.
fn rcpt_dsn(dsn: &RecipientRequest) -> String {
    let mut parameters = String::new();
    if let Some(notify) = dsn.notify {
        parameters.push_str(&format!(" NOTIFY={}", notify.value()));
    }
    if let Some(original) = &dsn.original {
        parameters.push_str(&format!(" ORCPT={}", original.value()));
    }
    parameters
}

/// Adapts the envelope to the server's capabilities: without SMTPUTF8, domains become A-labels.
/// Returns a reply for each recipient to whom the message cannot be sent, because it would have to
/// be changed first (RFC 6152 section 3, RFC 6531 section 3.2).
pub(super) fn adapt(transaction: &mut Transaction, offer: &Capabilities) -> Vec<Option<Reply>> {
    let for_all = unsendable(transaction, offer);
    let mut replies = Vec::with_capacity(transaction.recipients.len());
    for recipient in &mut transaction.recipients {
        let reply = match recipient.address.to_ascii() {
            _ if for_all.is_some() || offer.smtputf8 => for_all.clone(),
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

/// Returns a reply if the message cannot be sent to anybody at this server.
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
