//! The hashes of a body: one pass over it for all signatures, in memory or on disk.
//!
//! Each canonical form is hashed once. A signature of a part of the body (`l=`) gets a snapshot of
//! the hash at that length, so that a hundred of them cost no more than one.

use std::collections::BTreeMap;
use std::io;

use gatepost_dkim::CanonicalBody;
use gatepost_message::Body;
use mail_auth::common::crypto::{HashContext, HashImpl, HashOutput, Sha256};
use mail_auth::common::headers::Writer;
use mail_auth::dkim::Canonicalization;

use super::MessageSignature;
use crate::rejection::Rejection;

/// Number of bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// Hashes that the signatures need.
#[derive(Debug)]
pub(crate) struct BodyHashes {
    simple: Option<HashedBody>,
    relaxed: Option<HashedBody>,
}

/// Canonical body: its length, its hash, and the hashes of the parts that signatures cover.
#[derive(Debug)]
struct HashedBody {
    length: u64,
    whole: HashOutput,
    parts: BTreeMap<u64, HashOutput>,
}

impl BodyHashes {
    /// Reads the body from beginning to end, if any signature needs it.
    ///
    /// # Errors
    /// If the body cannot be read.
    pub(crate) fn of<'a>(
        body: &dyn Body,
        signatures: impl Iterator<Item = &'a MessageSignature> + Clone,
    ) -> io::Result<Self> {
        let wanted = |canonicalization: Canonicalization| {
            let of_form = signatures
                .clone()
                .filter(move |signature| signature.body == canonicalization);
            let lengths: Vec<u64> = of_form.clone().filter_map(|one| one.length).collect();
            of_form
                .clone()
                .next()
                .map(|_| CanonicalBody::new(canonicalization, Snapshots::new(lengths)))
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
            simple: simple.map(HashedBody::finish),
            relaxed: relaxed.map(HashedBody::finish),
        })
    }

    fn hashed(&self, canonicalization: Canonicalization) -> Option<&HashedBody> {
        match canonicalization {
            Canonicalization::Simple => self.simple.as_ref(),
            Canonicalization::Relaxed => self.relaxed.as_ref(),
        }
    }

    /// Returns the length of the canonical body, in bytes.
    pub(crate) fn length(&self, canonicalization: Canonicalization) -> u64 {
        self.hashed(canonicalization)
            .map_or(0, |hashed| hashed.length)
    }

    /// Checks that the body up to `length` is the one that was signed.
    pub(crate) fn check(
        &self,
        canonicalization: Canonicalization,
        length: Option<u64>,
        expected: &[u8],
    ) -> Result<(), Rejection> {
        let hashed = self.hashed(canonicalization);
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

impl HashedBody {
    fn finish(body: CanonicalBody<Snapshots>) -> Self {
        let snapshots = body.finish();
        Self {
            length: snapshots.length,
            parts: snapshots.taken,
            whole: snapshots.running.complete(),
        }
    }
}

/// Running hash with snapshots at certain lengths.
struct Snapshots {
    running: <Sha256 as HashImpl>::Context,
    length: u64,
    /// Lengths that are still to come, the next one last.
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
        snapshots.take_if_wanted();
        snapshots
    }

    /// Takes a snapshot if a signature covers this length.
    fn take_if_wanted(&mut self) {
        while self.pending.last() == Some(&self.length) {
            self.pending.pop();
            self.taken
                .insert(self.length, self.running.clone().complete());
        }
    }
}

impl Writer for Snapshots {
    fn write(&mut self, mut bytes: &[u8]) {
        while let Some(next) = self.pending.last() {
            let missing = usize::try_from(next - self.length).unwrap_or(usize::MAX);
            let Some((part, rest)) = bytes.split_at_checked(missing) else {
                break;
            };
            self.running.write(part);
            self.length = *next;
            self.take_if_wanted();
            bytes = rest;
        }
        self.running.write(bytes);
        self.length += bytes.len() as u64;
    }
}

/// Reads a body in order.
fn read(body: &dyn Body, mut chunk: impl FnMut(&[u8])) -> io::Result<()> {
    if let Some(bytes) = body.in_memory() {
        chunk(bytes);
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
