//! Conversion between the contract's records and the relay's own types. Records of a guest are
//! checked here: an answer that contradicts itself is a fault.

use gatepost_message::{Address, domain_to_ascii};
use gatepost_model::{AttemptResult, NextHop, Routing, Session, Transaction, Verdict};
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
        client_ip: session.client.ip().to_canonical().to_string(),
        client_port: session.client.port(),
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

pub(crate) fn attempt_result(result: &AttemptResult) -> types::ResultOfAttempt {
    types::ResultOfAttempt {
        recipient: result.recipient.as_str().to_owned(),
        ending: result.ending.mapped(),
        reply: types::Reply {
            code: result.reply.code(),
            enhanced: result
                .reply
                .enhanced()
                .map(|code| code.to_string())
                .unwrap_or_default(),
            text: result.reply.text(),
        },
        server: result.server.clone(),
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

pub(crate) fn routing(routing: types::Routing) -> Result<Routing, String> {
    Ok(match routing {
        types::Routing::Pass => Routing::Pass,
        types::Routing::NextHop(hop) => Routing::Deliver(next_hop(hop)?.into()),
        types::Routing::Defer(given) => Routing::Defer(reply(given, 4)?),
        types::Routing::Fail(given) => Routing::Fail(reply(given, 5)?),
    })
}

fn next_hop(hop: types::NextHop) -> Result<NextHop, String> {
    let types::NextHop {
        host,
        port,
        tls,
        protocol,
    } = hop;
    let plausible = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    let ascii = domain_to_ascii(&host).unwrap_or_default();
    if ascii.is_empty() || ascii.len() > 253 || !ascii.bytes().all(plausible) || port == 0 {
        return Err(format!(
            "its next hop {host:?} port {port} is not a host and a port"
        ));
    }
    Ok(NextHop {
        host: ascii,
        port,
        tls: tls.mapped(),
        protocol: protocol.mapped(),
    })
}
