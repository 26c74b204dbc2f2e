//! ARC (RFC 8617): the results that earlier servers claim to have seen.
//!
//! A chain is [read](ArcChain::of) strictly ([`set`]), and [verified](ArcChain::verify) once the
//! keys are there: the newest message signature over the message as it is now, and every seal over
//! all sets up to its own. A chain that passes proves who claimed which results, not that these are
//! true: the first sealer may be the attacker. [`ArcFact::trusted_results`] selects the results to believe.

mod set;

use gatepost_message::Message;
use mail_auth::dkim::Canonicalization;

use crate::dkim::fields::{RawField, own_field};
use crate::dkim::{Evidence, MessageSignature, Signed};
use crate::rejection::Rejection;
use crate::results::read::Results;
use crate::{ArcDkim, ArcFact, ArcSet, Authentication};
use set::{Set, collect};

/// ARC sets of a message, read but not verified.
#[derive(Debug)]
pub(crate) struct ArcChain {
    /// Sets, oldest first.
    sets: Result<Vec<Set>, Rejection>,
    /// Highest instance that any field claims.
    instances: u32,
    /// Domain of the newest seal, if it could be read.
    sealer: String,
}

impl ArcChain {
    /// Reads the sets. Each signature may have at most `fields` names in `h=`.
    pub(crate) fn of(message: &Message, fields: usize) -> Self {
        let collected = collect(message, fields);
        let instances = collected.instances;
        let sealer = match &collected.sets {
            Ok(sets) => sets.last().map(|set| set.seal.signed.domain.clone()),
            Err(_) => None,
        };
        Self {
            instances,
            sealer: sealer.unwrap_or_default(),
            sets: collected.sets,
        }
    }

    fn sets(&self) -> &[Set] {
        self.sets.as_deref().unwrap_or_default()
    }

    /// Returns the newest signature, which covers the message as it is now.
    pub(crate) fn message_signature(&self) -> Option<&MessageSignature> {
        self.sets().last().map(|set| &set.signature)
    }

    /// Returns the signatures and seals that need a key, the newest first.
    pub(crate) fn signed(&self) -> impl Iterator<Item = &Signed> {
        let seals = self.sets().iter().rev().map(|set| &set.seal.signed);
        self.message_signature()
            .map(|signature| &signature.signed)
            .into_iter()
            .chain(seals)
    }

    /// Verifies the chain (RFC 8617 section 5.2).
    pub(crate) fn verify(&self, evidence: &Evidence<'_>) -> ArcFact {
        let fact = ArcFact {
            instances: self.instances,
            sealer: self.sealer.clone(),
            ..ArcFact::default()
        };
        let verified = match &self.sets {
            Ok(sets) if sets.is_empty() => return fact,
            Ok(sets) => verify(sets, evidence),
            Err(rejection) => Err(rejection.clone()),
        };
        match verified {
            Ok(()) => ArcFact {
                result: Authentication::Pass,
                sets: self.sets().iter().rev().map(claimed_results).collect(),
                ..fact
            },
            // A chain has only three results: every permanent problem is `fail`.
            Err(why) => ArcFact {
                result: match why.result {
                    Authentication::Temperror => Authentication::Temperror,
                    _ => Authentication::Fail,
                },
                reason: Some(why.reason),
                ..fact
            },
        }
    }
}

fn verify(sets: &[Set], evidence: &Evidence<'_>) -> Result<(), Rejection> {
    let instance = |of: &Set, what: &str, why: Rejection| Rejection {
        reason: format!("{what} of instance {}: {}", of.instance, why.reason),
        ..why
    };
    let Some(newest) = sets.last() else {
        return Ok(());
    };
    newest
        .signature
        .verify(evidence)
        .map_err(|why| instance(newest, "ARC-Message-Signature", why))?;
    for (position, set) in sets.iter().enumerate().rev() {
        let seal = &set.seal.signed;
        let keys = evidence
            .keys
            .of(seal)
            .map_err(|why| instance(set, "ARC-Seal", why))?;
        let fields = sealed(&sets[..=position]);
        let verified = keys
            .iter()
            .any(|key| key.verifies(seal, Canonicalization::Relaxed, &fields));
        if !verified {
            let why = Rejection::fail("the seal does not fit the sets and the key");
            return Err(instance(set, "ARC-Seal", why));
        }
    }
    Ok(())
}

/// Returns the fields that the newest of these sets seals (RFC 8617 section 5.1.1): those of all
/// sets, with its own seal as it was before it was made.
fn sealed(sets: &[Set]) -> Vec<RawField<'_>> {
    let mut fields: Vec<RawField<'_>> = sets
        .iter()
        .flat_map(|set| [set.raw_results(), set.raw_signature(), set.raw_seal()])
        .collect();
    fields.pop();
    fields.extend(sets.last().map(|set| own_field(&set.seal.signed)));
    fields
}

/// Reads the results that a set claims.
fn claimed_results(set: &Set) -> ArcSet {
    let results = Results::parse(&set.payload);
    let one = |method: &str| results.of(method).next();
    let property = |method: &str, name: &str| {
        one(method)
            .and_then(|claim| claim.property(name))
            .map(str::to_ascii_lowercase)
    };
    ArcSet {
        instance: set.instance,
        sealer: set.seal.signed.domain.clone(),
        results: set.payload.clone(),
        authserv_id: results.authserv_id.clone().unwrap_or_default(),
        dmarc: one("dmarc").map(|claim| claim.result),
        dmarc_from: property("dmarc", "header.from"),
        spf: one("spf").map(|claim| claim.result),
        arc: one("arc").map(|claim| claim.result),
        dkim: results
            .of("dkim")
            .map(|claim| ArcDkim {
                result: claim.result,
                domain: claim
                    .property("header.d")
                    .or_else(|| {
                        claim
                            .property("header.i")
                            .and_then(|i| i.rsplit_once('@'))
                            .map(|(_, domain)| domain)
                    })
                    .unwrap_or_default()
                    .to_ascii_lowercase(),
            })
            .collect(),
    }
}
