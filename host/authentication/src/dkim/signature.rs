//! The tags of a signature (RFC 6376 section 3.5; RFC 8301 section 3.1 for algorithms; RFC 8617
//! section 4.1 for ARC).

use gatepost_message::domain_to_ascii;
use mail_auth::common::crypto::Algorithm;
use mail_auth::dkim::Canonicalization;

use super::quoted_printable;
use crate::DkimFact;
use crate::rejection::Rejection;
use crate::tags::{TagList, invalid_value};

/// Tags that every signature has, ARC-Seal included.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) algorithm: Algorithm,
    /// `d=`, in lower-case A-labels.
    pub(crate) domain: String,
    /// `s=`, in lower-case A-labels.
    pub(crate) selector: String,
    /// `b=`.
    pub(crate) signature: Vec<u8>,
    /// `t=`, in seconds since 1970.
    pub(crate) time: Option<u64>,
    /// Name of the field, as spelt.
    pub(crate) name: Vec<u8>,
    /// Value of the field with an empty `b=` and without the final line end: the form in which
    /// the field itself is signed (RFC 6376 section 3.7).
    pub(crate) unsigned: Vec<u8>,
}

impl Signed {
    /// Reads the tags that all signatures have in common.
    pub(crate) fn read(name: &[u8], value: &[u8], tags: &TagList<'_>) -> Result<Self, Rejection> {
        let algorithm = match tags.required("a")? {
            "rsa-sha256" => Algorithm::RsaSha256,
            "ed25519-sha256" => Algorithm::Ed25519Sha256,
            "rsa-sha1" => {
                return Err(Rejection::malformed(
                    "a=rsa-sha1 proves nothing any more (RFC 8301 section 3.1)",
                ));
            }
            other => {
                return Err(Rejection::malformed(format!(
                    "the algorithm {other} is not known"
                )));
            }
        };
        Ok(Self {
            algorithm,
            domain: host_name(tags, "d")?,
            selector: host_name(tags, "s")?,
            signature: tags.base64("b")?,
            time: tags.number("t")?,
            name: name.to_vec(),
            unsigned: without_signature(value, tags),
        })
    }

    /// Returns the DNS name of the key (RFC 6376 section 3.6.2.1).
    pub(crate) fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// Returns a fact with the signer and without a result.
    pub(crate) fn about(&self) -> DkimFact {
        DkimFact {
            domain: self.domain.clone(),
            selector: self.selector.clone(),
            algorithm: self.algorithm.name().to_owned(),
            ..DkimFact::default()
        }
    }
}

/// Signature of fields and body: DKIM-Signature or ARC-Message-Signature.
#[derive(Debug, Clone)]
pub(crate) struct MessageSignature {
    pub(crate) signed: Signed,
    /// Canonicalisation of fields, the first half of `c=`.
    pub(crate) fields: Canonicalization,
    /// Canonicalisation of the body, the second half of `c=`.
    pub(crate) body: Canonicalization,
    /// `h=`, as spelt.
    pub(crate) names: Vec<Box<[u8]>>,
    /// `bh=`.
    pub(crate) body_hash: Vec<u8>,
    /// `l=`.
    pub(crate) length: Option<u64>,
    /// `x=`, in seconds since 1970.
    pub(crate) expires: Option<u64>,
    /// True if the domain of `i=` is a subdomain of `d=`, false if they are equal.
    pub(crate) of_subdomain: bool,
}

impl MessageSignature {
    /// Reads a DKIM-Signature. The error is the fact about a malformed one.
    pub(crate) fn dkim(
        name: &[u8],
        value: &[u8],
        most_names: usize,
    ) -> Result<Self, Box<DkimFact>> {
        let tags = TagList::parse(value).map_err(|why| Box::new(why.of(DkimFact::default())))?;
        let read = || {
            if tags.get("v") != Some(b"1") {
                return Err(Rejection::malformed("v=1 is missing"));
            }
            let signed = Signed::read(name, value, &tags)?;
            query_method(&tags)?;
            let of_subdomain = identity(&tags, &signed.domain)?;
            let signature = Self::read(signed, &tags, Canonicalization::Simple, most_names)?;
            if !signature.names_field(b"from") {
                return Err(Rejection::malformed(
                    "From is not signed (RFC 6376 section 5.4)",
                ));
            }
            Ok(Self {
                of_subdomain,
                ..signature
            })
        };
        read().map_err(|why| Box::new(why.of(claimed_signer(&tags))))
    }

    /// Reads an ARC-Message-Signature (RFC 8617 section 4.1.2): `i=` has another meaning in it, it
    /// has no `v=`, From need not be signed, and a missing `c=` means relaxed, as in the field's
    /// first implementations and in ValiMail's suite.
    pub(crate) fn arc(
        name: &[u8],
        value: &[u8],
        tags: &TagList<'_>,
        most_names: usize,
    ) -> Result<Self, Rejection> {
        let signed = Signed::read(name, value, tags)?;
        query_method(tags)?;
        let signature = Self::read(signed, tags, Canonicalization::Relaxed, most_names)?;
        match signature.names_field(b"arc-seal") {
            true => Err(Rejection::malformed(
                "h= names ARC-Seal (RFC 8617 section 4.1.2)",
            )),
            false => Ok(signature),
        }
    }

    fn read(
        signed: Signed,
        tags: &TagList<'_>,
        default: Canonicalization,
        most_names: usize,
    ) -> Result<Self, Rejection> {
        let (fields, body) = match tags.text("c")? {
            None => (default, default),
            Some(both) => {
                let (fields, body) = both.split_once('/').unwrap_or((both, "simple"));
                (canonicalization(fields)?, canonicalization(body)?)
            }
        };
        let names = tags
            .get("h")
            .ok_or_else(|| Rejection::malformed("h= is missing"))?;
        let names: Vec<Box<[u8]>> = names
            .split(|byte| *byte == b':')
            .map(|name| name.trim_ascii())
            .filter(|name| !name.is_empty())
            .take(most_names + 1)
            .map(Into::into)
            .collect();
        if names.len() > most_names {
            return Err(Rejection::policy(format!(
                "h= names more than {most_names} fields"
            )));
        }
        let body_hash = tags.base64("bh")?;
        if body_hash.len() != 32 {
            return Err(invalid_value("bh"));
        }
        let expires = tags.number("x")?;
        if let (Some(time), Some(expires)) = (signed.time, expires)
            && expires <= time
        {
            return Err(Rejection::malformed("it expires before it was made"));
        }
        Ok(Self {
            signed,
            fields,
            body,
            names,
            body_hash,
            length: tags.number("l")?,
            expires,
            of_subdomain: false,
        })
    }

    fn names_field(&self, name: &[u8]) -> bool {
        self.names
            .iter()
            .any(|signed| signed.eq_ignore_ascii_case(name))
    }
}

/// Returns the domain of a signature in lower-case A-labels, without reading the rest.
pub(crate) fn domain(value: &[u8]) -> Option<String> {
    let tags = TagList::parse(value).ok()?;
    a_labels(tags.text("d").ok().flatten()?)
}

/// Refuses a `q=` without `dns/txt`: keys are looked up in the DNS only.
fn query_method(tags: &TagList<'_>) -> Result<(), Rejection> {
    let is_dns = |method: &str| method.trim().eq_ignore_ascii_case("dns/txt");
    match tags.text("q")? {
        Some(methods) if !methods.split(':').any(is_dns) => Err(Rejection::malformed(
            "q= names only unknown ways to the key",
        )),
        _ => Ok(()),
    }
}

/// Refuses an `i=` that is not at or below `d=` once decoded (RFC 6376 section 3.5). Returns true
/// if it is below.
fn identity(tags: &TagList<'_>, domain: &str) -> Result<bool, Rejection> {
    let Some(identity) = tags.text("i")? else {
        return Ok(false);
    };
    let identity = quoted_printable::decode(identity).ok_or_else(|| invalid_value("i"))?;
    let (_, of) = identity
        .rsplit_once('@')
        .ok_or_else(|| invalid_value("i"))?;
    let of = a_labels(of).ok_or_else(|| invalid_value("i"))?;
    match of.strip_suffix(domain) {
        Some("") => Ok(false),
        Some(sub) if sub.ends_with('.') => Ok(true),
        _ => Err(Rejection::malformed("i= is of another domain than d=")),
    }
}

fn canonicalization(name: &str) -> Result<Canonicalization, Rejection> {
    match name.trim() {
        name if name.eq_ignore_ascii_case("simple") => Ok(Canonicalization::Simple),
        name if name.eq_ignore_ascii_case("relaxed") => Ok(Canonicalization::Relaxed),
        _ => Err(invalid_value("c")),
    }
}

/// Returns a domain or selector in lower-case A-labels (RFC 8616 section 4).
fn host_name(tags: &TagList<'_>, tag: &str) -> Result<String, Rejection> {
    a_labels(tags.required(tag)?).ok_or_else(|| invalid_value(tag))
}

fn a_labels(name: &str) -> Option<String> {
    let name = domain_to_ascii(name)?.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    (name.len() <= 253 && name.split('.').all(is_label)).then_some(name)
}

fn without_signature(value: &[u8], tags: &TagList<'_>) -> Vec<u8> {
    let span = tags.span("b").unwrap_or_default();
    let mut unsigned = value[..span.start].to_vec();
    unsigned.extend_from_slice(&value[span.end..]);
    // If `b=` is not the last tag, the line end is still there.
    for end in [b'\n', b'\r'] {
        if unsigned.last() == Some(&end) {
            unsigned.pop();
        }
    }
    unsigned
}

/// Returns a fact with the signer that a malformed signature names.
fn claimed_signer(tags: &TagList<'_>) -> DkimFact {
    let text = |tag| tags.text(tag).ok().flatten().unwrap_or_default();
    let name = |tag| a_labels(text(tag)).unwrap_or_default();
    DkimFact {
        domain: name("d"),
        selector: name("s"),
        algorithm: Algorithm::parse(text("a").as_bytes())
            .map_or(String::new(), |algorithm| algorithm.name().to_owned()),
        ..DkimFact::default()
    }
}
