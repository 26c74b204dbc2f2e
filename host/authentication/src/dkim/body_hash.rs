//! The hashes of a body: one pass over it, wherever it is kept, for all signatures.
//!
//! Each way of canonicalisation is hashed once. A signature of a part of the body (`l=`) gets a
//! snapshot of the hash at that length, so a hundred of them cost what one does.

use std::collections::BTreeMap;
use std::io;

use gatepost_message::Body;
use mail_auth::common::crypto::{HashContext, HashImpl, HashOutput, Sha256};
use mail_auth::common::headers::Writer;
use mail_auth::dkim::Canonicalization;

use super::MessageSignature;
use super::canonical_body::CanonicalBody;
use crate::rejection::Rejection;

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// The hashes that signatures ask for.
#[derive(Debug)]
pub(crate) struct BodyHashes {
    simple: Option<Hashed>,
    relaxed: Option<Hashed>,
}

/// A canonical body: its length, and its hash at each length that was asked for.
#[derive(Debug)]
struct Hashed {
    length: u64,
    whole: HashOutput,
    parts: BTreeMap<u64, HashOutput>,
}

impl BodyHashes {
    /// Reads the body, if any signature needs it, from beginning to end.
    ///
    /// # Errors
    /// Those of reading it.
    pub(crate) fn of<'a>(
        body: &dyn Body,
        signatures: impl Iterator<Item = &'a MessageSignature> + Clone,
    ) -> io::Result<Self> {
        let wanted = |way: Canonicalization| {
            let of_way = signatures
                .clone()
                .filter(move |signature| signature.body == way);
            let lengths: Vec<u64> = of_way.clone().filter_map(|one| one.length).collect();
            of_way
                .clone()
                .next()
                .map(|_| CanonicalBody::new(way, Snapshots::new(lengths)))
        };
        let mut simple = wanted(Canonicalization::Simple);
        let mut relaxed = wanted(Canonicalization::Relaxed);
        if simple.is_some() || relaxed.is_some() {
            read(body, |chunk| {
                for canonical in [&mut simple, &mut relaxed].into_iter().flatten() {
                    canonical.write(chunk);
                }
            })?;
        }
        Ok(Self {
            simple: simple.map(Hashed::finish),
            relaxed: relaxed.map(Hashed::finish),
        })
    }

    fn hashed(&self, way: Canonicalization) -> Option<&Hashed> {
        match way {
            Canonicalization::Simple => self.simple.as_ref(),
            Canonicalization::Relaxed => self.relaxed.as_ref(),
        }
    }

    /// Octets of the canonical body.
    pub(crate) fn length(&self, way: Canonicalization) -> u64 {
        self.hashed(way).map_or(0, |hashed| hashed.length)
    }

    /// Whether the body is the one that was signed, up to `length`.
    pub(crate) fn check(
        &self,
        way: Canonicalization,
        length: Option<u64>,
        expected: &[u8],
    ) -> Result<(), Rejection> {
        let hashed = self.hashed(way);
        let hash = hashed.and_then(|hashed| match length {
            None => Some(&hashed.whole),
            Some(length) => hashed.parts.get(&length),
        });
        match hash {
            Some(hash) if hash.as_ref() == expected => Ok(()),
            Some(_) => Err(Rejection::fail("the body is not the one that was signed")),
            None => Err(Rejection::fail(
                "the body is shorter than what was signed (l=, RFC 6376 section 3.5)",
            )),
        }
    }
}

impl Hashed {
    fn finish(body: CanonicalBody<Snapshots>) -> Self {
        let snapshots = body.finish();
        Self {
            length: snapshots.length,
            parts: snapshots.taken,
            whole: snapshots.running.complete(),
        }
    }
}

/// A hash that keeps what it was at certain lengths.
struct Snapshots {
    running: <Sha256 as HashImpl>::Context,
    length: u64,
    /// Lengths still to come, the next one last.
    pending: Vec<u64>,
    taken: BTreeMap<u64, HashOutput>,
}

impl Snapshots {
    fn new(mut lengths: Vec<u64>) -> Self {
        lengths.sort_unstable_by(|a, b| b.cmp(a));
        let mut snapshots = Self {
            running: Sha256::hasher(),
            length: 0,
            pending: lengths,
            taken: BTreeMap::new(),
        };
        snapshots.take();
        snapshots
    }

    /// Keeps the hash, if this is a length that was asked for.
    fn take(&mut self) {
        while self.pending.last() == Some(&self.length) {
            self.pending.pop();
            self.taken
                .insert(self.length, self.running.clone().complete());
        }
    }
}

impl Writer for Snapshots {
    fn write(&mut self, mut octets: &[u8]) {
        while let Some(next) = self.pending.last() {
            let missing = usize::try_from(next - self.length).unwrap_or(usize::MAX);
            let Some((part, rest)) = octets.split_at_checked(missing) else {
                break;
            };
            self.running.write(part);
            self.length = *next;
            self.take();
            octets = rest;
        }
        self.running.write(octets);
        self.length += octets.len() as u64;
    }
}

/// Reads a body in order.
fn read(body: &dyn Body, mut chunk: impl FnMut(&[u8])) -> io::Result<()> {
    if let Some(octets) = body.in_memory() {
        chunk(octets);
        return Ok(());
    }
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    while offset < body.len() {
        match body.read_at(offset, &mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                chunk(&buffer[..length]);
                offset += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
