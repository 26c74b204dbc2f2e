//! Conversion between the contract's records and the relay's own types. Records of a guest are
//! checked here: an answer that contradicts itself is a fault.

use gatepost_message::Address;
use gatepost_model::{Session, Transaction, Verdict};
use gatepost_smtp::Reply;

use crate::contract::wit::types;
use crate::host::one_line;
use crate::records::Mapped;

/// Length limit of the reason for a quarantine, in bytes.
const MAX_REASON: usize = 4 << 10;

/// Length limit of a reply's text, in bytes.
const MAX_REPLY_TEXT: usize = 400;

pub(crate) fn session(session: &Session) -> types::Session {
    types::Session {
        listener: session.listener.clone(),
        flow: session.flow.mapped(),
        transport: session.transport.mapped(),
        client: session.client.map(|client| types::ClientAddress {
            ip: client.ip().to_canonical().to_string(),
            port: client.port(),
        }),
        helo: session.helo.clone(),
        tls: session.tls.clone(),
        user: session.user.clone(),
    }
}

pub(crate) fn transaction(transaction: &Transaction) -> types::Transaction {
    types::Transaction {
        id: transaction.id.to_string(),
        session: session(&transaction.session),
        account: transaction.account.clone(),
        mail_from: transaction.reverse_path.as_str().to_owned(),
        recipients: transaction
            .recipients
            .iter()
            .map(|r| r.as_str().to_owned())
            .collect(),
    }
}

pub(crate) fn attempt(recipient: &Address, previous: u32) -> types::Attempt {
    types::Attempt {
        recipient: recipient.as_str().to_owned(),
        previous,
    }
}

/// Returns a reply for a guest.
pub(crate) fn given_reply(reply: &Reply) -> types::Reply {
    types::Reply {
        code: reply.code(),
        enhanced: reply
            .enhanced()
            .map(|code| code.to_string())
            .unwrap_or_default(),
        text: reply.text(),
    }
}

/// Checks a guest's reply: both codes have the class (4 or 5) that its variant demands, and the
/// text is one line of printable ASCII.
pub(crate) fn reply(reply: types::Reply, class: u16) -> Result<Reply, String> {
    let types::Reply {
        code,
        enhanced,
        text,
    } = reply;
    if code / 100 != class {
        return Err(format!(
            "its reply has code {code} where one of {class}xx is due"
        ));
    }
    if text.len() > MAX_REPLY_TEXT || !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Err(format!(
            "its reply is not one line of at most {MAX_REPLY_TEXT} printable octets"
        ));
    }
    enhanced
        .parse()
        .and_then(|enhanced| Reply::checked(code, Some(enhanced), &text))
        .map_err(|error| format!("its reply {code} {enhanced}: {error}"))
}

pub(crate) fn verdict(verdict: types::Verdict) -> Result<Verdict, String> {
    Ok(match verdict {
        types::Verdict::Pass => Verdict::Pass,
        types::Verdict::Accept => Verdict::Accept,
        types::Verdict::Reject(given) => Verdict::Reject(reply(given, 5)?),
        types::Verdict::Tempfail(given) => Verdict::Tempfail(reply(given, 4)?),
        types::Verdict::Discard => Verdict::Discard,
        types::Verdict::Quarantine(reason) if reason.len() > MAX_REASON => {
            return Err(format!(
                "its reason for the quarantine is over {MAX_REASON} octets"
            ));
        }
        types::Verdict::Quarantine(reason) => Verdict::Quarantine(one_line(&reason)),
    })
}
