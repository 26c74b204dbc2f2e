//! Arguments of MAIL and RCPT (RFC 5321 sections 4.1.1.2 and 4.1.1.3): a path, and the
//! parameters of the extensions that EHLO offers.

use gatepost_message::ReversePath;

use super::parameter::{self, Parameter, malformed, unknown};
use super::{BodyType, Limits, Mail, Settings, path};
use crate::dsn::{self, EnvelopeId, Notify, OriginalRecipient, Recipient, Ret, decode_xtext};
use crate::reply::Reply;

/// Reads the arguments of MAIL. SIZE is checked against the limits; `auth` says that AUTH is on
/// offer, and with it the parameter of that name.
pub(super) fn mail(arguments: &[u8], limits: &Limits, auth: bool) -> Result<Mail, Reply> {
    let (max_size, strict) = (limits.message_size, limits.strict_addresses);
    let wrong = |why: &str| Reply::new(501, "5.1.7", format!("Sender: {why}"));
    let (path, after) = path::split(arguments, "FROM:", wrong)?;
    let reverse_path = match path::without_route(path) {
        Ok("") if path.is_empty() => ReversePath::Null,
        Ok(mailbox) => ReversePath::Address(path::parse(mailbox, strict, wrong)?),
        Err(why) => return Err(wrong(why)),
    };
    let mut mail = Mail {
        reverse_path,
        size: None,
        body: BodyType::default(),
        smtputf8: false,
        dsn: dsn::MessageRequest::default(),
    };
    for Parameter { keyword, value } in parameter::parse(after)? {
        match (keyword.as_str(), value) {
            ("SIZE", Some(value)) => mail.size = Some(size(value, max_size)?),
            ("BODY", Some(value)) => mail.body = body(value)?,
            ("RET", Some(value)) => mail.dsn.ret = Some(ret(value)?),
            ("ENVID", Some(value)) => mail.dsn.envelope_id = Some(envelope_id(value)?),
            // RFC 4954 section 5: a server that offers AUTH accepts the parameter, and treats it
            // as <> where it does not trust the client.
            ("AUTH", Some(value)) if auth => {
                let mailbox = decode_xtext(value);
                mailbox.ok_or_else(|| malformed("AUTH is a mailbox as xtext, or <>"))?;
            }
            ("SMTPUTF8", None) => mail.smtputf8 = true,
            ("SMTPUTF8", Some(_)) => return Err(malformed("SMTPUTF8 takes no value")),
            ("AUTH", _) if !auth => return Err(unknown(&keyword)),
            ("SIZE" | "BODY" | "RET" | "ENVID" | "AUTH", None) => {
                return Err(value_missing(&keyword));
            }
            _ => return Err(unknown(&keyword)),
        }
    }
    if let Some(address) = mail.reverse_path.address() {
        path::require_smtputf8(address, mail.smtputf8)?;
    }
    Ok(mail)
}

/// Reads the arguments of RCPT. `<Postmaster>` alone is the postmaster of this host (RFC 5321
/// section 4.1.1.3); `smtputf8` says that MAIL announced characters outside ASCII.
pub(super) fn recipient(
    arguments: &[u8],
    settings: &Settings,
    smtputf8: bool,
) -> Result<Recipient, Reply> {
    let (hostname, strict) = (&settings.hostname, settings.limits.strict_addresses);
    let wrong = |why: &str| Reply::new(501, "5.1.3", format!("Recipient: {why}"));
    let (path, after) = path::split(arguments, "TO:", wrong)?;
    let address = if path.eq_ignore_ascii_case("postmaster") {
        path::parse(&format!("{path}@{hostname}"), false, wrong)?
    } else {
        path::parse(path::without_route(path).map_err(wrong)?, strict, wrong)?
    };
    path::require_smtputf8(&address, smtputf8)?;
    let mut recipient = Recipient::from(address);
    for Parameter { keyword, value } in parameter::parse(after)? {
        match (keyword.as_str(), value) {
            ("NOTIFY", Some(value)) => recipient.dsn.notify = Some(notify(value)?),
            ("ORCPT", Some(value)) => recipient.dsn.original = Some(original(value, smtputf8)?),
            ("NOTIFY" | "ORCPT", None) => return Err(value_missing(&keyword)),
            _ => return Err(unknown(&keyword)),
        }
    }
    Ok(recipient)
}

/// Reads SIZE (RFC 1870 section 4): `1*20DIGIT`. A number too large for an integer is over any
/// limit.
fn size(value: &str, max: u64) -> Result<u64, Reply> {
    if value.len() > 20 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed("SIZE is a number of octets"));
    }
    match value.parse() {
        Ok(size) if size <= max => Ok(size),
        _ => Err(Reply::new(
            552,
            "5.3.4",
            format!("Message too large: at most {max} octets are taken here"),
        )),
    }
}

/// Reads BODY (RFC 6152 section 2).
fn body(value: &str) -> Result<BodyType, Reply> {
    if value.eq_ignore_ascii_case("7BIT") {
        Ok(BodyType::SevenBit)
    } else if value.eq_ignore_ascii_case("8BITMIME") {
        Ok(BodyType::EightBitMime)
    } else if value.eq_ignore_ascii_case("BINARYMIME") {
        // RFC 3030 section 3: an extension of its own, which is not offered.
        Err(Reply::new(555, "5.6.1", "BINARYMIME is not supported here"))
    } else {
        Err(malformed("BODY is 7BIT or 8BITMIME"))
    }
}

/// Reads RET (RFC 3461 section 4.3).
fn ret(value: &str) -> Result<Ret, Reply> {
    Ret::parse(value).ok_or_else(|| malformed("RET is FULL or HDRS"))
}

/// Reads ENVID (RFC 3461 section 4.4).
fn envelope_id(value: &str) -> Result<EnvelopeId, Reply> {
    EnvelopeId::from_xtext(value)
        .ok_or_else(|| malformed("ENVID is printable ASCII as xtext, at most 100 octets"))
}

/// Reads NOTIFY (RFC 3461 section 4.1).
fn notify(value: &str) -> Result<Notify, Reply> {
    Notify::parse(value).ok_or_else(|| {
        malformed("NOTIFY is NEVER, or one or more of SUCCESS, FAILURE and DELAY with commas")
    })
}

/// Reads ORCPT (RFC 3461 section 4.2); non-ASCII only where MAIL announced it (RFC 6533 section 3).
fn original(value: &str, smtputf8: bool) -> Result<OriginalRecipient, Reply> {
    OriginalRecipient::parse(value)
        .filter(|_| smtputf8 || value.is_ascii())
        .ok_or_else(|| malformed("ORCPT is type;address, encoded, at most 500 octets"))
}

fn value_missing(keyword: &str) -> Reply {
    malformed(&format!("{keyword} needs a value"))
}
