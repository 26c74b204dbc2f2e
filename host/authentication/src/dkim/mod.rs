//! DKIM (RFC 6376) and its parts that ARC shares: signatures, the fields and the body that they
//! cover, and their keys.
//!
//! Verification has two steps, so that nothing waits for the DNS while it holds a processor. First
//! the signatures are read, which gives the names of their keys ([`Signed::key_name`]). Then each
//! is [verified](MessageSignature::verify) with the keys and the hashes of the body, without
//! further questions.
//!
//! Canonical fields, keys and cryptography are mail-auth's. Its own verifier is not used: it
//! fetches keys itself, reads tag lists more generously than the standard, and uses the system's
//! clock. The rules that it does not keep are here, each in a file of its own:
//! - [`signature`]: the tags of a signature (RFC 6376 section 3.5, RFC 8301 section 3.1);
//! - [`key`]: the key among the records at a name (section 3.6.1), and its strength (RFC 8301
//!   section 3.2);
//! - [`quoted_printable`]: the encoding of `i=` (section 2.11);
//! - [`fields`]: the selection of signed fields (section 5.4.2), however many there are;
//! - [`gatepost_dkim::CanonicalBody`]: the canonical forms of a body (sections 3.4.3 and 3.4.4);
//! - [`body_length`]: `l=`, which counts bytes of the canonical body (section 3.4.5);
//! - [`expiry`]: the end of a signature (section 3.5, `x=`), by the clock of the transaction.

pub(crate) mod body_hash;
mod body_length;
mod expiry;
pub(crate) mod fields;
pub(crate) mod key;
mod quoted_printable;
pub(crate) mod signature;

use gatepost_message::{Message, Millis};

use crate::rejection::Rejection;
use crate::{Authentication, DkimFact, PartialBody, organizational_domain_by_list};
use body_hash::BodyHashes;
use fields::RawFields;
use key::Keys;
pub(crate) use signature::{MessageSignature, Signed};

/// Number of DKIM-Signature fields that are searched for an aligned one.
const MAX_SEARCHED: usize = 100;

/// Returns the organisational domain by the public suffix list, which needs no question.
fn organization(domain: &str) -> String {
    organizational_domain_by_list(domain).unwrap_or_else(|| domain.to_owned())
}

/// DKIM signatures of a message, from the top down, read but not verified.
#[derive(Debug)]
pub(crate) struct Signatures(Vec<Result<MessageSignature, Box<DkimFact>>>);

impl Signatures {
    /// Reads at most `most` signatures, each with at most `fields` names in `h=`: the first ones
    /// aligned with an author's domain (RFC 9989 section 4.4), then the first of the rest. Only
    /// aligned ones prove something about the author, and servers on the way may have put others
    /// above them (RFC 6376 section 6.1 leaves the order to the verifier).
    pub(crate) fn of(message: &Message, most: usize, fields: usize, authors: &[String]) -> Self {
        let all: Vec<_> = message.named("DKIM-Signature").take(MAX_SEARCHED).collect();
        let mut chosen: Vec<usize> = (0..all.len()).collect();
        if all.len() > most {
            let organizations: Vec<_> = authors.iter().map(|author| organization(author)).collect();
            let is_aligned = |index: &usize| {
                let (_, value) = fields::name_and_value(&all[*index]);
                signature::domain(value)
                    .is_some_and(|domain| organizations.contains(&organization(&domain)))
            };
            // The sort is stable: their order stays.
            chosen.sort_by_cached_key(|index| !is_aligned(index));
            chosen.truncate(most);
            chosen.sort_unstable();
        }
        let read = |index: usize| {
            let (name, value) = fields::name_and_value(&all[index]);
            MessageSignature::dkim(name, value, fields)
        };
        Self(chosen.into_iter().map(read).collect())
    }

    /// Returns the signatures that could be read.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &MessageSignature> {
        self.0
            .iter()
            .filter_map(|signature| signature.as_ref().ok())
    }

    /// Returns the fact about each signature, in their order.
    pub(crate) fn verify(&self, evidence: &Evidence<'_>) -> Vec<DkimFact> {
        let fact = |signature: &Result<MessageSignature, Box<DkimFact>>| match signature {
            Err(fact) => fact.as_ref().clone(),
            Ok(signature) => match signature.verify(evidence) {
                Ok(()) => DkimFact {
                    result: Authentication::Pass,
                    ..signature.signed.about()
                },
                Err(why) => why.of(signature.signed.about()),
            },
        };
        self.0.iter().map(fact).collect()
    }
}

/// Data against which a signature is verified.
pub(crate) struct Evidence<'a> {
    pub(crate) fields: &'a RawFields<'a>,
    pub(crate) bodies: &'a BodyHashes,
    pub(crate) keys: &'a Keys,
    pub(crate) now: Millis,
    pub(crate) partial_body: PartialBody,
}

impl MessageSignature {
    /// Verifies the signature: the domain that it names signed the message as it is now.
    pub(crate) fn verify(&self, evidence: &Evidence<'_>) -> Result<(), Rejection> {
        expiry::check(self, evidence.now)?;
        let keys = evidence.keys.of(&self.signed)?;
        let keys = keys.iter().filter(|key| key.allows(self));
        let keys: Vec<_> = keys.collect();
        if keys.is_empty() {
            return Err(Rejection::malformed(
                "the key's t=s allows no i= of a subdomain (RFC 6376 section 3.6.1)",
            ));
        }
        evidence
            .bodies
            .check(self.body, self.length, &self.body_hash)?;
        let fields = evidence.fields.signed(self);
        let verified = keys
            .iter()
            .any(|key| key.verifies(&self.signed, self.fields, &fields));
        if !verified {
            return Err(Rejection::fail(
                "the signature does not fit the signed fields and the key",
            ));
        }
        // This check is the last, so that only a signature that verifies gets the result `policy`.
        body_length::check(self, evidence.bodies, evidence.partial_body)
    }
}
