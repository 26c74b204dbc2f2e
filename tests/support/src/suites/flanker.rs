//! flanker's vectors of canonicalisation. Each is signed over the octets that the suite expects:
//! the signature passes if, and only if, the message is canonicalised to the same octets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

use super::{crlf, read};
use crate::{Signer, conformance};

/// Signing domain, with the selector `s`.
pub const DOMAIN: &str = "example.net";

/// A message with one algorithm of canonicalisation.
#[derive(Debug)]
pub struct Vector {
    /// Number of the message in the suite.
    pub number: usize,
    /// Algorithm: `simple` or `relaxed`.
    pub way: &'static str,
    message: Vec<u8>,
    canonical: String,
}

impl Vector {
    /// Returns all vectors.
    pub fn all() -> Option<Vec<Self>> {
        let folder = &conformance("dkim-canon-flanker")?;
        let of = |number: usize| {
            let file = move |kind: &str| folder.join(format!("{kind}.{number:02}"));
            ["simple", "relaxed"].into_iter().filter_map(move |way| {
                let email = file("email");
                email.is_file().then(|| Self {
                    number,
                    way,
                    message: crlf(&read(&email)),
                    canonical: read(&file(&format!("{way}.expected"))),
                })
            })
        };
        Some((1..=25).flat_map(of).collect())
    }

    /// Returns the message, signed over the canonical octets of the suite.
    pub fn signed(&self, signer: &Signer) -> Vec<u8> {
        self.signed_over(signer, &self.canonical)
    }

    /// Returns the message, signed over other octets.
    pub fn signed_otherwise(&self, signer: &Signer) -> Vec<u8> {
        let other = self.canonical.replacen(['a', 'o'], "x", 1) + "x";
        self.signed_over(signer, &other)
    }

    fn signed_over(&self, signer: &Signer, canonical: &str) -> Vec<u8> {
        let way = self.way;
        let (fields, body) = parts(canonical);
        let names: Vec<_> = fields
            .iter()
            .rev()
            .filter_map(|field| field.split(':').next())
            .map(str::trim)
            .chain(["from"])
            .collect();
        let hash = BASE64.encode(Sha256::digest(body));
        let value = format!(
            "v=1; a=ed25519-sha256; c={way}/{way}; d={DOMAIN}; s=s; h={}; bh={hash}; b=",
            names.join(":")
        );
        let name = if way == "simple" {
            "DKIM-Signature"
        } else {
            "dkim-signature"
        };
        let mut input = String::new();
        for field in fields.iter().rev() {
            input.push_str(field);
            input.push_str("\r\n");
        }
        input.push_str(&format!("{name}:{value}"));
        let signature = BASE64.encode(signer.raw(input.as_bytes()));
        let separator = if canonical.starts_with("\r\n") && self.message.is_empty() {
            "\r\n"
        } else {
            ""
        };
        let field = format!("DKIM-Signature:{value}{signature}\r\n{separator}");
        [field.as_bytes(), &self.message].concat()
    }
}

/// Splits the canonical form into fields, each with its line end, and body.
fn parts(canonical: &str) -> (Vec<&str>, &str) {
    let (head, body) = match canonical.strip_prefix("\r\n") {
        Some(body) => ("", body),
        None => {
            (canonical.split_once("\r\n\r\n")).unwrap_or_else(|| panic!("no body: {canonical}"))
        }
    };
    let mut fields = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        let end = rest
            .match_indices("\r\n")
            .map(|(position, _)| position)
            .find(|end| !rest[end + 2..].starts_with([' ', '\t']))
            .unwrap_or(rest.len());
        fields.push(&rest[..end]);
        rest = rest[end..].strip_prefix("\r\n").unwrap_or_default();
    }
    (fields, body)
}
