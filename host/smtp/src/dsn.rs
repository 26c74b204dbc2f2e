//! What an envelope asks for in the way of delivery status notifications (RFC 3461).
//!
//! A relay keeps these as they came and passes them on to a next hop that offers DSN (section
//! 5.2.1); towards one that does not, it answers for them itself (section 5.2.2).

use std::fmt::Write as _;

use gatepost_message::Address;
use serde::{Deserialize, Serialize};

/// What MAIL asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MessageRequest {
    /// How much of the message a notification of failure brings back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ret: Option<Ret>,
    /// The sender's own name for the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope_id: Option<EnvelopeId>,
}

/// What RCPT asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecipientRequest {
    /// When the sender wants to be notified; `None` leaves it to the relay, which notifies of
    /// failure and may of delay (section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// To whom the sender addressed it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<OriginalRecipient>,
}

/// A recipient as RCPT names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The forward-path.
    pub address: Address,
    /// What the sender wants to hear of it.
    #[serde(default)]
    pub dsn: RecipientRequest,
}

impl From<Address> for Recipient {
    fn from(address: Address) -> Self {
        Self {
            address,
            dsn: RecipientRequest::default(),
        }
    }
}

/// RET (section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header section.
    #[serde(rename = "hdrs")]
    Headers,
}

/// NOTIFY (section 4.1). None of the three set is `NEVER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notify {
    /// When it is delivered.
    pub success: bool,
    /// When it cannot be.
    pub failure: bool,
    /// When it takes long.
    pub delay: bool,
}

impl Notify {
    /// `NEVER`.
    pub const NEVER: Self = Self {
        success: false,
        failure: false,
        delay: false,
    };

    /// Reads the value of NOTIFY; `None` for what is none.
    pub fn parse(value: &str) -> Option<Self> {
        if value.eq_ignore_ascii_case("NEVER") {
            return Some(Self::NEVER);
        }
        let mut notify = Self::NEVER;
        for word in value.split(',') {
            let wanted = match word.to_ascii_uppercase().as_str() {
                "SUCCESS" => &mut notify.success,
                "FAILURE" => &mut notify.failure,
                "DELAY" => &mut notify.delay,
                _ => return None,
            };
            *wanted = true;
        }
        Some(notify)
    }

    /// The value of NOTIFY.
    pub fn value(self) -> String {
        let words = [
            (self.success, "SUCCESS"),
            (self.failure, "FAILURE"),
            (self.delay, "DELAY"),
        ];
        let wanted = words.iter().filter(|(wanted, _)| *wanted);
        let words: Vec<_> = wanted.map(|(_, word)| *word).collect();
        match words.is_empty() {
            true => "NEVER".to_owned(),
            false => words.join(","),
        }
    }
}

/// ENVID (section 4.4), decoded: 1 to 100 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvelopeId(String);

impl EnvelopeId {
    /// The most octets of the encoded form (section 5.4).
    pub const MAX_ENCODED: usize = 100;

    /// Reads the value of ENVID, which is xtext; `None` for what is none.
    pub fn from_xtext(value: &str) -> Option<Self> {
        if value.is_empty() || value.len() > Self::MAX_ENCODED {
            return None;
        }
        decode_xtext(value)
            .filter(|text| is_printable(text))
            .map(Self)
    }

    /// As the sender wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of ENVID.
    pub fn to_xtext(&self) -> String {
        encode_xtext(&self.0)
    }
}

/// ORCPT (section 4.2): an address type and an address of that type, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OriginalRecipient {
    /// An atom, such as `rfc822` or `utf-8`.
    pub address_type: String,
    /// The address, without the encoding of its way through SMTP.
    pub address: String,
}

/// Decodes xtext (section 4): `+` introduces two upper-case hexadecimal digits. `None` for what
/// is none, or not UTF-8 once decoded.
pub fn decode_xtext(value: &str) -> Option<String> {
    let digit = |octet: u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    };
    let mut decoded = Vec::with_capacity(value.len());
    let mut octets = value.bytes();
    while let Some(octet) = octets.next() {
        decoded.push(match octet {
            b'+' => digit(octets.next()?)? << 4 | digit(octets.next()?)?,
            b'!'..=b'~' if octet != b'=' => octet,
            _ => return None,
        });
    }
    String::from_utf8(decoded).ok()
}

/// Encodes as xtext (section 4).
pub fn encode_xtext(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'!'..=b'~' if octet != b'+' && octet != b'=' => encoded.push(char::from(octet)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "+{octet:02X}");
            }
        }
    }
    encoded
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|octet| matches!(octet, b' '..=b'~'))
}
