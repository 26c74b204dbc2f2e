//! The form `raw`: the message alone, with the envelope in fields.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::RequestForm;
use crate::Letter;
use crate::segments::Segment;

/// Makes the form.
pub(super) fn form(letter: &Letter<'_>) -> RequestForm {
    let mut fields = HeaderMap::new();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("message/rfc822"));
    let mut add = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(&escaped(text)) {
            fields.append(HeaderName::from_static(name), value);
        }
    };
    add("x-gatepost-transaction", &letter.transaction.to_string());
    add("x-gatepost-mail-from", &letter.mail_from.to_string());
    for recipient in letter.rcpt_to {
        add("x-gatepost-rcpt-to", recipient.address.as_str());
    }
    if let Some(account) = letter.account {
        add("x-gatepost-account", account);
    }
    RequestForm {
        fields,
        segments: vec![Segment::Message],
    }
}

/// Writes octets that a field of HTTP cannot carry, and `%`, as `%` and two digits.
fn escaped(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_graphic() && octet != b'%';
    let octets = text.bytes().map(|octet| match plain(octet) {
        true => char::from(octet).to_string(),
        false => format!("%{octet:02X}"),
    });
    octets.collect()
}
