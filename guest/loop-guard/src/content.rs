//! Subject and words of a message, as they are counted; computed when first asked for.

use std::cell::OnceCell;

use gatepost_sdk::header::Subject;

use crate::digest::{self, Digest};
use crate::head::{Field, Head};
use crate::subject;

/// Subject and words of a message.
pub struct Content<'a> {
    head: &'a Head<'a>,
    subject: OnceCell<Option<String>>,
    body: OnceCell<Digest>,
}

impl<'a> Content<'a> {
    /// Creates the content of a message; reads nothing yet.
    pub fn of(head: &'a Head<'a>) -> Self {
        Self {
            head,
            subject: OnceCell::new(),
            body: OnceCell::new(),
        }
    }

    /// Returns the hash of the normalised subject for use in keys; none if nothing is left of it.
    pub fn subject(&self) -> Option<&str> {
        let find = || {
            let subject: Subject = self.head.read(Field::Subject)?;
            let subject = subject::normalised(&subject.0);
            (!subject.is_empty()).then(|| format!("{:016x}", digest::hash(subject.as_bytes())))
        };
        self.subject.get_or_init(find).as_deref()
    }

    /// Returns the digest of the body's beginning.
    pub fn body(&self) -> &Digest {
        self.body.get_or_init(|| digest::of(self.head.beginning()))
    }
}
