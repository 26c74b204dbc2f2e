//! Forms of a request: its content type, its fields, and the octets around the message.

use std::io;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::signature::hex;
use crate::{HttpForm, Letter};

/// Fields and frame of a request, in the middle of which the message stands.
pub(crate) struct Frame {
    pub(crate) fields: HeaderMap,
    pub(crate) before: Bytes,
    pub(crate) after: Bytes,
}

impl Frame {
    /// Makes the frame of a letter.
    ///
    /// # Errors
    /// The system gives no random octets for a boundary.
    pub(crate) fn of(form: HttpForm, letter: &Letter<'_>) -> io::Result<Self> {
        match form {
            HttpForm::Raw => Ok(Self::raw(letter)),
            HttpForm::Multipart => Self::multipart(letter),
        }
    }

    /// Makes the frame of a message alone, with the envelope in fields.
    fn raw(letter: &Letter<'_>) -> Self {
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
        Self {
            fields,
            before: Bytes::new(),
            after: Bytes::new(),
        }
    }

    /// Makes the frame of two parts: the facts, and the message (RFC 7578).
    fn multipart(letter: &Letter<'_>) -> io::Result<Self> {
        // Nobody who writes a message can guess it.
        let mut random = [0; 16];
        let filled = SystemRandom::new().fill(&mut random);
        filled.map_err(|_| io::Error::other("no random octets"))?;
        let boundary = format!("gatepost-{}", hex(&random));
        let facts = serde_json::to_string(letter)?;
        let before = format!(
            "--{boundary}\r\n\
             Content-Disposition: form-data; name=\"facts\"\r\n\
             Content-Type: application/json\r\n\r\n\
             {facts}\r\n\
             --{boundary}\r\n\
             Content-Disposition: form-data; name=\"message\"; filename=\"message.eml\"\r\n\
             Content-Type: message/rfc822\r\n\r\n"
        );
        let mut fields = HeaderMap::new();
        let value = format!("multipart/form-data; boundary={boundary}");
        let value = HeaderValue::try_from(value).map_err(io::Error::other)?;
        fields.insert(CONTENT_TYPE, value);
        Ok(Self {
            fields,
            before: before.into(),
            after: format!("\r\n--{boundary}--\r\n").into(),
        })
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
