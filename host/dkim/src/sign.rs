//! Signing (RFC 6376 section 5).
//!
//! The fields that say what a message is are signed once more than they occur, so that nobody adds
//! another one below the signature (section 8.15). Fields that servers on the way add or replace
//! are not signed: Sender, Return-Path, those of lists and of resending. There is no `l=`: whatever
//! is added to a body shows.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use gatepost_message::{Body, Domain, Field, Message, Millis};
use mail_auth::common::crypto::{HashContext as _, HashImpl as _, Sha256};
use mail_auth::dkim::Canonicalization;

use crate::{CanonicalBody, KeyError, PrivateKey, Selector};

/// Fields that are signed once more than they occur, whether they occur or not. Others whose name
/// begins with `Content-` are signed so where they occur.
const SIGNED: [&str; 13] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-ID",
    "Content-Description",
    "Content-Disposition",
];

/// Most names in `h=`. A message with more such fields is none that a mail reader could show.
const MOST_NAMES: usize = 100;

/// Octets of a body that are read at once.
const CHUNK: usize = 64 * 1024;

/// Octets of a line of the field, where it can be folded.
const LINE: usize = 76;

/// Key with the domain and the selector for which it signs.
#[derive(Debug)]
pub struct Signer {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub selector: Selector,
    /// Key.
    pub key: PrivateKey,
}

/// Canonical forms of fields and body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forms {
    /// Form of fields.
    pub fields: Canonicalization,
    /// Form of the body.
    pub body: Canonicalization,
}

impl Forms {
    /// The forms that survive what servers usually do to a message.
    pub const RELAXED: Self = Self {
        fields: Canonicalization::Relaxed,
        body: Canonicalization::Relaxed,
    };

    /// Returns the forms as `c=`.
    fn tag(self) -> String {
        let word = |form| match form {
            Canonicalization::Relaxed => "relaxed",
            Canonicalization::Simple => "simple",
        };
        format!("{}/{}", word(self.fields), word(self.body))
    }
}

/// Error of signing.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The body cannot be read, or is damaged.
    #[error(transparent)]
    Body(#[from] io::Error),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is nothing to sign: From is missing.
    #[error("the message has no From")]
    NoFrom,
    /// More fields would be signed than a verifier reads.
    #[error("the message has too many fields of those that are signed")]
    TooManyFields,
}

/// Signs a message with each key, and returns the fields to put above it. Blocks where the body is
/// in a file.
///
/// # Errors
/// The message cannot be read or is none, or a key cannot be used.
pub fn sign(message: &Message, signers: &[Arc<Signer>], at: Millis) -> Result<Bytes, SignError> {
    sign_in_forms(message, signers, at, Forms::RELAXED)
}

/// Signs a message in these canonical forms.
///
/// # Errors
/// As [`sign`].
pub fn sign_in_forms(
    message: &Message,
    signers: &[Arc<Signer>],
    at: Millis,
    forms: Forms,
) -> Result<Bytes, SignError> {
    let selected = Selected::of(message)?;
    let hash = body_hash(message.body().as_ref(), forms.body)?;
    let mut written = BytesMut::new();
    for signer in signers {
        let unsigned = unsigned_field(signer, &selected.names, &hash, at, forms);
        let octets = octets_to_sign(forms.fields, &selected.fields, &unsigned);
        let signature = STANDARD.encode(signer.key.sign(&octets)?);
        written.extend_from_slice(NAME.as_bytes());
        written.extend_from_slice(b":");
        written.extend_from_slice(unsigned.as_bytes());
        for (number, line) in signature.as_bytes().chunks(LINE - 1).enumerate() {
            if number > 0 {
                written.extend_from_slice(b"\r\n\t");
            }
            written.extend_from_slice(line);
        }
        written.extend_from_slice(b"\r\n");
    }
    Ok(written.freeze())
}

/// Returns a message with these fields above it.
pub fn with_signatures(message: &Message, fields: &[u8]) -> Message {
    let head = message.head();
    let mut whole = BytesMut::with_capacity(fields.len() + head.len());
    whole.extend_from_slice(fields);
    whole.extend_from_slice(head);
    Message::from_parts(whole.freeze(), Arc::clone(message.body()))
}

/// Returns the hash of a body in a canonical form. Blocks where the body is in a file.
///
/// # Errors
/// The body cannot be read, or is damaged.
pub fn body_hash(body: &dyn Body, form: Canonicalization) -> io::Result<[u8; 32]> {
    let mut canonical = CanonicalBody::new(form, Sha256::hasher());
    let mut checksum = body.checksum()?;
    let mut read = |chunk: &[u8]| {
        canonical.write(chunk);
        if let Some(checksum) = &mut checksum {
            checksum.add(chunk);
        }
    };
    if let Some(bytes) = body.in_memory() {
        read(bytes);
    } else {
        let mut buffer = vec![0; CHUNK];
        let mut offset = 0;
        while offset < body.len() {
            match body.read_at(offset, &mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    read(buffer.get(..length).unwrap_or_default());
                    offset += length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    if let Some(checksum) = checksum {
        checksum.check()?;
    }
    let mut hash = [0; 32];
    let output = canonical.finish().complete();
    hash.copy_from_slice(output.as_ref());
    Ok(hash)
}

const NAME: &str = "DKIM-Signature";

/// Field as name and value: the octets before and after its colon, with the line end.
type RawField<'a> = (&'a [u8], &'a [u8]);

/// Fields to sign, in the order of `h=`.
struct Selected<'a> {
    names: Vec<String>,
    fields: Vec<RawField<'a>>,
}

impl<'a> Selected<'a> {
    fn of(message: &'a Message) -> Result<Self, SignError> {
        if message.named("From").next().is_none() {
            return Err(SignError::NoFrom);
        }
        let mut wanted: Vec<String> = SIGNED.map(str::to_owned).to_vec();
        for field in message.fields() {
            let is_content = (field.name_raw().get(..8))
                .is_some_and(|start| start.eq_ignore_ascii_case(b"Content-"));
            if is_content && field.is_well_formed() && !wanted.iter().any(|name| field.is(name)) {
                wanted.push(field.name().into_owned());
                if wanted.len() > MOST_NAMES {
                    return Err(SignError::TooManyFields);
                }
            }
        }
        let mut selected = Self {
            names: Vec::new(),
            fields: Vec::new(),
        };
        for name in wanted {
            // From the bottom up (RFC 6376 section 5.4.2).
            let named = message.fields().filter(|field| field.is(&name));
            let mut fields: Vec<_> = named.map(|field| raw(&field)).collect();
            fields.reverse();
            let names = selected.names.len() + fields.len() + 1;
            if names > MOST_NAMES {
                return Err(SignError::TooManyFields);
            }
            selected.fields.extend(fields);
            selected.names.resize(names, name);
        }
        Ok(selected)
    }
}

fn raw<'a>(field: &Field<'a>) -> RawField<'a> {
    let octets = field.raw();
    let colon = octets.iter().position(|octet| *octet == b':');
    let (name, value) = octets.split_at(colon.unwrap_or_default());
    (name, value.get(1..).unwrap_or_default())
}

/// Returns the value of the field with an empty `b=`.
fn unsigned_field(
    signer: &Signer,
    names: &[String],
    hash: &[u8],
    at: Millis,
    forms: Forms,
) -> String {
    let mut value = format!(
        " v=1; a={}; c={};\r\n\td={};\r\n\ts={}; t={};\r\n\th=",
        signer.key.algorithm().tag(),
        forms.tag(),
        signer.domain.as_ascii(),
        signer.selector,
        at.0 / 1000,
    );
    let mut length = "\th=".len();
    for (number, name) in names.iter().enumerate() {
        let end = if number + 1 == names.len() { ";" } else { ":" };
        if length + name.len() + 1 > LINE {
            value.push_str("\r\n\t");
            length = 1;
        }
        value.push_str(name);
        value.push_str(end);
        length += name.len() + 1;
    }
    value.push_str("\r\n\tbh=");
    value.push_str(&STANDARD.encode(hash));
    value.push_str(";\r\n\tb=");
    value
}

/// Returns the octets that are signed (RFC 6376 section 3.7): the fields, and last the signature's
/// own, without its line end.
fn octets_to_sign(form: Canonicalization, fields: &[RawField<'_>], unsigned: &str) -> Vec<u8> {
    let own = (NAME.as_bytes(), unsigned.as_bytes());
    let all = fields.iter().copied().chain([own]);
    let mut octets = Vec::with_capacity(1024);
    form.canonicalize_headers(all, &mut octets);
    octets
}

#[cfg(test)]
mod tests;
