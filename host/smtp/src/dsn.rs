//! Requests for delivery status notifications in an envelope (RFC 3461).
//!
//! A relay keeps the requests as they came and passes them on to a next hop that offers DSN
//! (section 5.2.1); for a next hop that does not, it answers them itself (section 5.2.2).

mod xtext;

use std::fmt;

use gatepost_message::Address;
use serde::{Deserialize, Serialize};

pub use self::xtext::{decode_xtext, encode_unicode, encode_xtext};

/// Request for notifications in MAIL.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MessageRequest {
    /// Part of the message that a notification of failure returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ret: Option<Ret>,
    /// The sender's own name for the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope_id: Option<EnvelopeId>,
}

/// Request for notifications in RCPT.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecipientRequest {
    /// Events of which the sender wants to be notified; `None` leaves it to the relay, which
    /// notifies of failure and may notify of delay (section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// Recipient to whom the sender addressed the message first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<OriginalRecipient>,
}

/// Writes the request as parameters of MAIL.
impl fmt::Display for MessageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ret = self.ret.map(|ret| format!("RET={}", ret.value()));
        let envelope_id = self.envelope_id.as_ref();
        let envelope_id = envelope_id.map(|id| format!("ENVID={}", id.to_xtext()));
        f.write_str(&Vec::from_iter([ret, envelope_id].into_iter().flatten()).join(" "))
    }
}

/// Writes the request as parameters of RCPT.
impl fmt::Display for RecipientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notify = self.notify.map(|n| format!("NOTIFY={}", n.value()));
        let original = self.original.as_ref();
        let original = original.map(|original| format!("ORCPT={}", original.value()));
        f.write_str(&Vec::from_iter([notify, original].into_iter().flatten()).join(" "))
    }
}

/// A recipient as RCPT names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Recipient {
    /// The forward-path.
    pub address: Address,
    /// Notifications that the sender asks for.
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

/// Value of RET (section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header section.
    #[serde(rename = "hdrs")]
    Headers,
}

impl Ret {
    /// Reads the value of RET; returns `None` if it is malformed.
    pub fn parse(value: &str) -> Option<Self> {
        let mut all = [Self::Full, Self::Headers].into_iter();
        all.find(|ret| value.eq_ignore_ascii_case(ret.value()))
    }

    /// Returns the value of RET.
    pub fn value(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        }
    }
}

/// Value of NOTIFY (section 4.1). With none of the three set it is `NEVER`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct Notify {
    /// Notify when the message is delivered.
    pub success: bool,
    /// Notify when it cannot be delivered.
    pub failure: bool,
    /// Notify when delivery takes long.
    pub delay: bool,
}

impl Notify {
    /// The value `NEVER`.
    pub const NEVER: Self = Self {
        success: false,
        failure: false,
        delay: false,
    };

    /// Reads the value of NOTIFY: `NEVER`, or each of the others at most once. Returns `None` if it
    /// is malformed.
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
            if std::mem::replace(wanted, true) {
                return None;
            }
        }
        Some(notify)
    }

    /// Returns the value of NOTIFY.
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct EnvelopeId(String);

impl EnvelopeId {
    /// The most octets of the encoded form (section 5.4).
    pub const MAX_ENCODED: usize = 100;

    /// Reads the value of ENVID, which is xtext; returns `None` if it is malformed.
    pub fn from_xtext(value: &str) -> Option<Self> {
        if value.is_empty() || value.len() > Self::MAX_ENCODED {
            return None;
        }
        decode_xtext(value)
            .filter(|text| is_printable(text))
            .map(Self)
    }

    /// Returns the decoded id, as the sender chose it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the value of ENVID.
    pub fn to_xtext(&self) -> String {
        encode_xtext(&self.0)
    }
}

/// ORCPT (section 4.2): an address type and an address of that type, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OriginalRecipient {
    /// Address type: an atom, such as `rfc822` or `utf-8`.
    pub address_type: String,
    /// The address, decoded: one line of printable characters, outside ASCII only where the type
    /// is `utf-8`.
    pub address: String,
}

impl OriginalRecipient {
    /// The most octets of the encoded form (section 4.2).
    pub const MAX_ENCODED: usize = 500;

    /// Reads the value of ORCPT, in which the address is xtext or, for the type `utf-8`, the
    /// encoding of RFC 6533 section 3. Returns `None` if it is malformed. Postfix (3.7) writes
    /// `rfc822` for addresses outside ASCII, too; their type becomes `utf-8`.
    pub fn parse(value: &str) -> Option<Self> {
        let (mut address_type, address) = value.split_once(';')?;
        let unicode = is_unicode(address_type);
        let address = match unicode {
            true => xtext::decode_unicode(address)?,
            false => decode_xtext(address)?,
        };
        if address_type.eq_ignore_ascii_case("rfc822") && !address.is_ascii() {
            address_type = "utf-8";
        }
        let printable = !address.is_empty()
            && match is_unicode(address_type) {
                true => !address.contains(char::is_control),
                false => is_printable(&address),
            };
        let whole = value.len() <= Self::MAX_ENCODED && is_atom(address_type) && printable;
        whole.then(|| Self {
            address_type: address_type.to_owned(),
            address,
        })
    }

    /// Returns the value of ORCPT, in ASCII.
    pub fn value(&self) -> String {
        let address = match is_unicode(&self.address_type) {
            true => encode_unicode(&self.address),
            false => encode_xtext(&self.address),
        };
        format!("{};{address}", self.address_type)
    }
}

/// Returns true if addresses of this type may hold any character (RFC 6533 section 3).
fn is_unicode(address_type: &str) -> bool {
    address_type.eq_ignore_ascii_case("utf-8")
}

/// Returns true if the text is an atom (RFC 5322 section 3.2.3).
fn is_atom(text: &str) -> bool {
    let is_atext = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    !text.is_empty() && text.chars().all(is_atext)
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|octet| matches!(octet, b' '..=b'~'))
}
