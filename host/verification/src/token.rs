//! Tokens of probes, by which one that comes back is known.
//!
//! A token is the id of the probe and a message authentication code (HMAC-SHA-256,
//! RFC 2104), so nobody but the relay makes one. The directory keeps the id with the time at which
//! the probe expires, and strikes it out at its first use. A token fits into a local part, and case
//! does not matter, since some servers change it.
//!
//! It stands in a field of its own, in Message-ID, in brackets in Subject, in the text, and in the
//! reverse-path: gateways remove unknown fields, services replace Message-ID, and a report may have
//! nothing but the address that it goes to.

use std::fmt;
use std::str::FromStr;

use gatepost_message::{Address, Domain, Message, bare_message_id};
use mail_parser::MessageParser;
use ring::hmac;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// Alphabet of base 32 (RFC 4648 section 6) in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Length of an id, in characters of 5 bits: 130 bits.
const ID_LENGTH: usize = 26;

/// Length of the code: 70 bits, which nobody guesses by sending mail.
const CODE_LENGTH: usize = 14;

/// Name of the field with the token.
pub(crate) const FIELD: &str = "X-Gatepost-Probe";

/// Beginning of the local part of a return path.
const RETURN_PATH: &str = "probe+";

/// Bytes of a text in which tokens are looked for.
const LONGEST_TEXT: usize = 64 << 10;

/// Octets of a message that are parsed for the text of its body.
pub(crate) const MOST_OCTETS: usize = 256 << 10;

/// Most words of the form of a token that are verified in one message.
const MOST_CANDIDATES: usize = 16;

/// Id of a probe: 26 random characters of base 32, under which the directory keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProbeId([u8; ID_LENGTH]);

/// Error: a text is not the id of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeIdError;

impl fmt::Display for ProbeIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a probe is 26 letters and digits of base 32")
    }
}

impl std::error::Error for ProbeIdError {}

impl ProbeId {
    /// Returns the id as text, in lower case.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for ProbeId {
    type Err = ProbeIdError;

    fn from_str(text: &str) -> Result<Self, ProbeIdError> {
        let letters: [u8; ID_LENGTH] = text.as_bytes().try_into().map_err(|_| ProbeIdError)?;
        match letters.iter().all(|letter| is_digit(*letter)) {
            true => Ok(Self(letters.map(|letter| letter.to_ascii_lowercase()))),
            false => Err(ProbeIdError),
        }
    }
}

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ProbeId> for String {
    fn from(id: ProbeId) -> Self {
        id.as_str().to_owned()
    }
}

impl TryFrom<String> for ProbeId {
    type Error = ProbeIdError;

    fn try_from(text: String) -> Result<Self, ProbeIdError> {
        text.parse()
    }
}

/// Token of a probe. Whoever has one can pass for the probe, so it is not shown in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct ProbeToken {
    id: ProbeId,
    text: String,
}

impl ProbeToken {
    /// Length in characters.
    pub const LENGTH: usize = ID_LENGTH + CODE_LENGTH;

    /// Returns the id of the probe.
    pub fn id(&self) -> ProbeId {
        self.id
    }

    /// Returns the token as it stands in the message.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the return path of the probe: reports on it come to this address.
    pub fn return_path(&self, domain: &Domain) -> Option<Address> {
        Address::parse(&format!("{RETURN_PATH}{}@{}", self.text, domain.as_ascii())).ok()
    }

    /// Returns true if a text has the form of a token, issued or not.
    pub fn is_like(text: &str) -> bool {
        text.len() == Self::LENGTH && text.bytes().all(is_digit)
    }
}

impl fmt::Debug for ProbeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProbeToken").field(&self.id).finish()
    }
}

/// Place of a message in which its token was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenPlace {
    /// The field of its own.
    Field,
    /// Message-ID.
    MessageId,
    /// Subject.
    Subject,
    /// The text.
    Body,
}

/// Token that was found in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundToken {
    /// Token.
    pub token: ProbeToken,
    /// First place that has it.
    pub place: TokenPlace,
}

/// Issuer and verifier of tokens.
#[derive(Debug, Clone)]
pub struct ProbeTokens {
    /// HMAC keys, oldest first.
    keys: Vec<hmac::Key>,
}

impl ProbeTokens {
    /// Purpose for which the keys are derived from those of the key ring.
    pub const PURPOSE: &str = "probes";

    /// Makes it of keys, oldest first: the last one issues, all of them verify.
    pub fn new(keys: Vec<hmac::Key>) -> Self {
        Self { keys }
    }

    /// Issues the token of a probe; `None` without a key.
    pub fn issue(&self, id: ProbeId) -> Option<ProbeToken> {
        let code = code(self.keys.last()?, id.as_str());
        let text = format!("{id}{code}");
        Some(ProbeToken { id, text })
    }

    /// Verifies a token. Takes the same time for a nearly right code as for any other.
    pub fn verify(&self, text: &str) -> Option<ProbeToken> {
        if !ProbeToken::is_like(text) {
            return None;
        }
        let text = text.to_ascii_lowercase();
        let (written, given) = text.split_at_checked(ID_LENGTH)?;
        let mut is_issued = subtle::Choice::from(0);
        for key in &self.keys {
            is_issued |= code(key, written).as_bytes().ct_eq(given.as_bytes());
        }
        let id = written.parse().ok().filter(|_| bool::from(is_issued))?;
        Some(ProbeToken { id, text })
    }

    /// Verifies the token of a return path; `None` for an address of another form.
    pub fn of_return_path(&self, address: &Address) -> Option<ProbeToken> {
        let (prefix, token) = address.local().split_at_checked(RETURN_PATH.len())?;
        let is_ours = prefix.eq_ignore_ascii_case(RETURN_PATH);
        is_ours.then(|| self.verify(token)).flatten()
    }

    /// Finds a token in the header section of a message. This is cheap enough for every message.
    pub fn find_in_head(&self, message: &Message) -> Option<FoundToken> {
        let found = |place| move |token| FoundToken { token, place };
        let fields = message.headers_named(FIELD);
        let of_field = fields.iter().find_map(|value| self.in_text(value));
        of_field
            .map(found(TokenPlace::Field))
            .or_else(|| {
                let id = message.header("Message-ID")?;
                let token = self.in_text(bare_message_id(&id)?)?;
                Some(found(TokenPlace::MessageId)(token))
            })
            .or_else(|| {
                let subject = decoded(&message.header("Subject")?);
                self.in_text(&subject).map(found(TokenPlace::Subject))
            })
    }

    /// Finds a token anywhere in a message; `octets` are its beginning.
    pub fn find(&self, message: &Message, octets: &[u8]) -> Option<FoundToken> {
        self.find_in_head(message).or_else(|| {
            let octets = octets.get(..MOST_OCTETS).unwrap_or(octets);
            let parsed = MessageParser::default().parse(octets)?;
            let texts = (0..2).filter_map(|part| parsed.body_text(part));
            let mut tokens = texts.filter_map(|text| self.in_text(&text));
            tokens.next().map(|token| FoundToken {
                token,
                place: TokenPlace::Body,
            })
        })
    }

    /// Returns the first valid token of a text.
    fn in_text(&self, text: &str) -> Option<ProbeToken> {
        let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let candidates = words.filter(|word| ProbeToken::is_like(word));
        candidates
            .take(MOST_CANDIDATES)
            .find_map(|word| self.verify(word))
    }
}

fn is_digit(byte: u8) -> bool {
    ALPHABET.contains(&byte.to_ascii_lowercase())
}

/// Returns the code of an id. Each of its characters has 5 bits of the authentication code.
fn code(key: &hmac::Key, id: &str) -> String {
    let code = hmac::sign(key, id.as_bytes());
    let digits = code.as_ref().iter().take(CODE_LENGTH);
    digits
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}

/// Returns the value of an unstructured field with its encoded words decoded.
pub(crate) fn decoded(value: &str) -> String {
    let field = format!("Subject: {value}\r\n\r\n");
    let parsed = MessageParser::default().parse_headers(field.as_bytes());
    let decoded = parsed.as_ref().and_then(|parsed| parsed.subject());
    decoded.unwrap_or(value).to_owned()
}
