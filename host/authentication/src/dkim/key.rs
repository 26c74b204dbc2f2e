//! DKIM keys: selection of the records at a name (RFC 6376 section 3.6.1), and the strength of keys
//! (RFC 8301 section 3.2).
//!
//! A name should have one key record (RFC 6376 section 3.6.2.2), but some names have one of each
//! kind, or an old one beside a new one. Every record is read; a few of those that fit the
//! signature's algorithm are tried.

use std::collections::HashMap;

use mail_auth::common::crypto::Algorithm;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dkim::Canonicalization;

use super::{MessageSignature, Signed};
use crate::rejection::Rejection;
use crate::tags::{TagList, decode};
use gatepost_dns::{Found, Unavailable};

/// Number of fitting keys at one name that are tried.
const MAX_TRIED: usize = 3;

/// Bits of an RSA key: from the minimum of RFC 8301 section 3.2 to the maximum that ring verifies.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;

/// Answer of the DNS at one name.
type Answer = Result<Found<Box<[u8]>>, Unavailable>;

/// Answers of the DNS about keys, by name.
#[derive(Debug, Default)]
pub(crate) struct Keys(pub(crate) HashMap<String, Answer>);

impl Keys {
    /// Returns the keys that may have made a signature: at least one.
    pub(crate) fn of(&self, signed: &Signed) -> Result<Vec<Key>, Rejection> {
        let records = match self.0.get(&signed.key_name()) {
            None => {
                return Err(Rejection::policy(
                    "too many keys would have to be looked up",
                ));
            }
            Some(Err(unavailable)) if unavailable.beyond_budget => {
                return Err(Rejection::policy(unavailable.to_string()));
            }
            Some(Err(unavailable)) => return Err(unavailable.clone().into()),
            Some(Ok(found)) => found.records(),
        };
        let mut why = Rejection::malformed("there is no key at the selector");
        let mut keys = Vec::new();
        for record in records.iter().take(16) {
            match Key::read(record, signed.algorithm) {
                Ok(key) if keys.len() < MAX_TRIED => keys.push(key),
                Ok(_) => {}
                Err(rejection) => why = rejection,
            }
        }
        match keys.is_empty() {
            true => Err(why),
            false => Ok(keys),
        }
    }
}

/// Usable key.
pub(crate) struct Key {
    key: DomainKey,
    /// True for `t=s`: the domain of `i=` must be `d=` itself.
    exact_domain: bool,
}

impl Key {
    fn read(record: &[u8], algorithm: Algorithm) -> Result<Self, Rejection> {
        let tags = TagList::parse(record)
            .map_err(|why| Rejection::malformed(format!("in the key, {}", why.reason)))?;
        if let Some(version) = tags.get("v")
            && (version != b"DKIM1" || tags.first() != "v")
        {
            return Err(Rejection::malformed("the key is not of v=DKIM1"));
        }
        let kind = tags.get("k").unwrap_or(b"rsa");
        let fits = match algorithm {
            Algorithm::RsaSha256 => kind.eq_ignore_ascii_case(b"rsa"),
            Algorithm::Ed25519Sha256 => kind.eq_ignore_ascii_case(b"ed25519"),
            Algorithm::RsaSha1 => false,
        };
        if !fits {
            return Err(Rejection::malformed("the key is for another algorithm"));
        }
        if !list_has(&tags, "h", &[b"sha256"]) {
            return Err(Rejection::malformed("the key is for another hash (h=)"));
        }
        if !list_has(&tags, "s", &[b"*", b"email"]) {
            return Err(Rejection::malformed(
                "the key is for another service than mail (s=)",
            ));
        }
        let public = match tags.get("p") {
            None => return Err(Rejection::malformed("the record holds no key (p=)")),
            Some(b"") => return Err(Rejection::malformed("the key has been revoked")),
            Some(public) => public,
        };
        let exact_domain = tags.get("t").is_some() && list_has(&tags, "t", &[b"s"]);
        // A malformed key is an error, not a weak key (RFC 6376 section 6.1.2, RFC 8601 section
        // 2.7.1).
        let key = parse_key(public, kind, algorithm)
            .ok_or_else(|| Rejection::malformed("the key itself is malformed (p=)"))?;
        if algorithm == Algorithm::RsaSha256 {
            let bits = key.p.public_key_bits();
            if !RSA_BITS.contains(&bits) {
                return Err(Rejection::policy(format!(
                    "an RSA key of {bits} bits proves nothing: {} to {} are accepted (RFC 8301 \
                     section 3.2)",
                    RSA_BITS.start(),
                    RSA_BITS.end()
                )));
            }
        }
        Ok(Self { key, exact_domain })
    }

    /// Returns true if the key allows the signature's `i=`.
    pub(crate) fn allows(&self, signature: &MessageSignature) -> bool {
        !(self.exact_domain && signature.of_subdomain)
    }

    /// Returns true if the signature of `fields` was made with this key.
    pub(crate) fn verifies(
        &self,
        signed: &Signed,
        canonicalization: Canonicalization,
        fields: &[(&[u8], &[u8])],
    ) -> bool {
        let mut fields = fields.iter().copied();
        self.key
            .p
            .verify(
                &mut fields,
                &signed.signature,
                canonicalization,
                signed.algorithm,
            )
            .is_ok()
    }
}

/// Parses the key alone, in the simplest record, so that mail-auth reads nothing else of it.
fn parse_key(public: &[u8], kind: &[u8], algorithm: Algorithm) -> Option<DomainKey> {
    let bytes = decode(public)?;
    // RFC 8032 section 5.1.5.
    if algorithm == Algorithm::Ed25519Sha256 && bytes.len() != 32 {
        return None;
    }
    let public: Vec<u8> = public
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let record = [b"k=", kind, b"; p=", &public[..]].concat();
    let key = DomainKey::parse(&record).ok()?;
    // A key without a modulus is malformed, not short.
    let is_key = algorithm != Algorithm::RsaSha256 || key.p.public_key_bits() > 0;
    is_key.then_some(key)
}

/// Returns true if a list with colons holds one of the words. A missing list holds every word.
fn list_has(tags: &TagList<'_>, tag: &str, words: &[&[u8]]) -> bool {
    tags.get(tag).is_none_or(|list| {
        list.split(|byte| *byte == b':').any(|item| {
            words
                .iter()
                .any(|word| item.trim_ascii().eq_ignore_ascii_case(word))
        })
    })
}
