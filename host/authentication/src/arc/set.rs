//! The structure of ARC sets (RFC 8617 sections 4.1 and 5.2): three fields of each instance, the
//! instances counted from 1 without a gap, and the `cv=` of an unbroken chain.

use std::collections::BTreeMap;

use gatepost_message::Message;

use crate::dkim::fields::{RawField, name_and_value};
use crate::dkim::{MessageSignature, Signed};
use crate::rejection::Rejection;
use crate::tags::TagList;

/// Limit on the sets of a chain (RFC 8617 section 4.2.1).
const MAX_SETS: u32 = 50;

/// One set of a well-formed chain.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) instance: u32,
    /// ARC-Authentication-Results after `i=`, unfolded.
    pub(super) payload: String,
    pub(super) signature: MessageSignature,
    pub(super) seal: Seal,
    raw: [(Vec<u8>, Vec<u8>); 3],
}

impl Set {
    pub(super) fn raw_results(&self) -> RawField<'_> {
        raw(&self.raw[0])
    }

    pub(super) fn raw_signature(&self) -> RawField<'_> {
        raw(&self.raw[1])
    }

    pub(super) fn raw_seal(&self) -> RawField<'_> {
        raw(&self.raw[2])
    }
}

fn raw((name, value): &(Vec<u8>, Vec<u8>)) -> RawField<'_> {
    (name, value)
}

/// ARC-Seal.
#[derive(Debug)]
pub(super) struct Seal {
    pub(super) signed: Signed,
    cv: String,
}

/// Sets, oldest first, and the highest instance that any field claims.
pub(super) struct Collected {
    pub(super) sets: Result<Vec<Set>, Rejection>,
    pub(super) instances: u32,
}

/// Fields of one instance while they are collected.
#[derive(Default)]
struct PartialSet<'a> {
    results: Option<(RawField<'a>, String)>,
    signature: Option<(RawField<'a>, MessageSignature)>,
    seal: Option<(RawField<'a>, Seal)>,
}

pub(super) fn collect(message: &Message, most_names: usize) -> Collected {
    let mut instances = 0;
    let sets = read(message, most_names, &mut instances);
    Collected { sets, instances }
}

fn read(message: &Message, most_names: usize, instances: &mut u32) -> Result<Vec<Set>, Rejection> {
    let mut parts: BTreeMap<u32, PartialSet<'_>> = BTreeMap::new();
    let mut first_flaw = None;
    for field in message.fields() {
        if ![
            "ARC-Authentication-Results",
            "ARC-Message-Signature",
            "ARC-Seal",
        ]
        .iter()
        .any(|name| field.is(name))
        {
            continue;
        }
        let name = field.name().into_owned();
        let flaw = read_field(&field, most_names, instances, &mut parts)
            .map_err(|why| Rejection::malformed(format!("{name}: {}", why.reason)))
            .err();
        first_flaw = first_flaw.or(flaw);
    }
    if let Some(flaw) = first_flaw {
        return Err(flaw);
    }
    let mut sets = Vec::new();
    for (expected, (instance, parts)) in (1..).zip(parts) {
        if instance != expected {
            return Err(Rejection::malformed(format!(
                "instance {expected} is missing"
            )));
        }
        sets.push(complete(instance, parts)?);
    }
    check_cv(&sets)?;
    Ok(sets)
}

fn read_field<'a>(
    field: &gatepost_message::Field<'a>,
    most_names: usize,
    instances: &mut u32,
    parts: &mut BTreeMap<u32, PartialSet<'a>>,
) -> Result<(), Rejection> {
    let raw = name_and_value(field);
    let (name, value) = raw;
    if field.is("ARC-Authentication-Results") {
        let text = field.unfolded();
        let (info, payload) = text.split_once(';').unwrap_or((&text, ""));
        let info = TagList::parse(info.as_bytes())?;
        let parts = parts.entry(instance(&info, instances)?).or_default();
        let payload = payload.trim().to_owned();
        return set_once(&mut parts.results, (raw, payload));
    }
    let tags = TagList::parse(value)?;
    let instance = instance(&tags, instances)?;
    let parts = parts.entry(instance).or_default();
    if field.is("ARC-Seal") {
        if tags.get("h").is_some() {
            return Err(Rejection::malformed("it has h= (RFC 8617 section 4.1.3)"));
        }
        let cv = tags.required("cv")?.to_ascii_lowercase();
        let signed = Signed::read(name, value, &tags)?;
        set_once(&mut parts.seal, (raw, Seal { signed, cv }))
    } else {
        let signature = MessageSignature::arc(name, value, &tags, most_names)?;
        set_once(&mut parts.signature, (raw, signature))
    }
}

/// Reads `i=`, from 1 to 50.
fn instance(tags: &TagList<'_>, highest: &mut u32) -> Result<u32, Rejection> {
    let instance = tags
        .number("i")?
        .and_then(|instance| u32::try_from(instance).ok())
        .filter(|instance| (1..=MAX_SETS).contains(instance))
        .ok_or_else(|| Rejection::malformed("i= is no number from 1 to 50"))?;
    *highest = instance.max(*highest);
    Ok(instance)
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), Rejection> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Rejection::malformed("the instance has two of this field")),
    }
}

fn complete(instance: u32, parts: PartialSet<'_>) -> Result<Set, Rejection> {
    let owned = |(name, value): RawField<'_>| (name.to_vec(), value.to_vec());
    match (parts.results, parts.signature, parts.seal) {
        (Some((results, payload)), Some((message, signature)), Some((sealing, seal))) => Ok(Set {
            instance,
            payload,
            signature,
            seal,
            raw: [owned(results), owned(message), owned(sealing)],
        }),
        _ => Err(Rejection::malformed(format!(
            "instance {instance} is not complete"
        ))),
    }
}

/// Checks that the first set has `cv=none` and every later one `cv=pass` (RFC 8617 section 5.2);
/// `cv=fail` ends a chain for good.
fn check_cv(sets: &[Set]) -> Result<(), Rejection> {
    for set in sets.iter().rev() {
        let expected = if set.instance == 1 { "none" } else { "pass" };
        if set.seal.cv != expected {
            return Err(Rejection::malformed(format!(
                "ARC-Seal of instance {} says cv={}, not cv={expected}",
                set.instance, set.seal.cv
            )));
        }
    }
    Ok(())
}
