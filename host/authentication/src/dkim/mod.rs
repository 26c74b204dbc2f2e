//! DKIM (RFC 6376), and what ARC shares with it: signatures, the fields and the body that they
//! cover, and the keys that they need.
//!
//! Verification goes in two steps, so that nothing waits for the DNS while it holds a processor.
//! First the signatures are read and the names of their keys are known ([`Signed::key_name`]);
//! then, with the keys and the hashes of the body at hand, each is [proved](MessageSignature::prove)
//! without further questions.
//!
//! Canonical fields, keys and cryptography are mail-auth's. Its own verifier is not asked: it
//! fetches keys itself, reads lists of tags more generously than the standard, and knows no clock
//! but the system's. In front of its parts stand, each in a file of its own, the rules that it does
//! not keep:
//! - [`signature`]: what a signature must say (RFC 6376 section 3.5, RFC 8301 section 3.1);
//! - [`key`]: which of the records at a name is the key (section 3.6.1), and how long it must be
//!   (RFC 8301 section 3.2);
//! - [`quoted_printable`]: how `i=` is written (section 2.11);
//! - [`fields`]: which fields are signed (section 5.4.2), however many there are;
//! - [`canonical_body`]: what of a body counts (sections 3.4.3 and 3.4.4);
//! - [`body_length`]: that `l=` counts octets of the canonical body (section 3.4.5);
//! - [`expiry`]: that a signature ends (section 3.5, `x=`), by the clock of the transaction.

pub(crate) mod body_hash;
mod body_length;
mod canonical_body;
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

/// How many DKIM-Signature fields are looked at for an aligned one.
const LOOKED_AT: usize = 100;

/// The organisational domain by the list, which needs no questions.
fn organization(domain: &str) -> String {
    organizational_domain_by_list(domain).unwrap_or_else(|| domain.to_owned())
}

/// The DKIM signatures of a message, from the top down, read but not verified.
#[derive(Debug)]
pub(crate) struct Signatures(Vec<Result<MessageSignature, Box<DkimFact>>>);

impl Signatures {
    /// Reads `most` signatures, each with at most `fields` names in `h=`: the first that are
    /// aligned with one of the authors' domains (RFC 9989 section 4.4), and of the rest the first.
    /// Whoever handled the message may have put others above them (RFC 6376 section 6.1 leaves the
    /// order to us); these alone prove something about the author.
    pub(crate) fn of(message: &Message, most: usize, fields: usize, authors: &[String]) -> Self {
        let all: Vec<_> = message.named("DKIM-Signature").take(LOOKED_AT).collect();
        let mut chosen: Vec<usize> = (0..all.len()).collect();
        if all.len() > most {
            let organizations: Vec<_> = authors.iter().map(|author| organization(author)).collect();
            let is_aligned = |index: &usize| {
                let (_, value) = fields::name_and_value(&all[*index]);
                signature::domain(value)
                    .is_some_and(|domain| organizations.contains(&organization(&domain)))
            };
            // Stable: their order stays.
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

    /// Those that could be read.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &MessageSignature> {
        self.0
            .iter()
            .filter_map(|signature| signature.as_ref().ok())
    }

    /// What each proves, in their order.
    pub(crate) fn prove(&self, evidence: &Evidence<'_>) -> Vec<DkimFact> {
        let fact = |signature: &Result<MessageSignature, Box<DkimFact>>| match signature {
            Err(fact) => fact.as_ref().clone(),
            Ok(signature) => match signature.prove(evidence) {
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

/// What a signature is held against.
pub(crate) struct Evidence<'a> {
    pub(crate) fields: &'a RawFields<'a>,
    pub(crate) bodies: &'a BodyHashes,
    pub(crate) keys: &'a Keys,
    pub(crate) now: Millis,
    pub(crate) partial_body: PartialBody,
}

impl MessageSignature {
    /// Whether the message is as it was when it was signed, by whom it says.
    pub(crate) fn prove(&self, evidence: &Evidence<'_>) -> Result<(), Rejection> {
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
        // Last, so that only what verifies is called a matter of policy.
        body_length::check(self, evidence.bodies, evidence.partial_body)
    }
}
