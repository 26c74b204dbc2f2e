//! The message: its header section in memory, its body there or elsewhere.

use std::{fmt, io, sync::Arc};

use bytes::{Bytes, BytesMut};

use crate::{Body, Checksum, Field, head::Index};

/// A message in its octets, with an index of its header section. Clones share both.
#[derive(Clone)]
pub struct Message {
    head: Bytes,
    index: Arc<Index>,
    body: Arc<dyn Body>,
}

impl Message {
    /// Makes a message of its octets. Any octets are a message: those that make no sense as a
    /// header section are body.
    pub fn from_bytes(raw: Bytes) -> Self {
        let index = Index::of(&raw);
        let body = raw.slice(index.length()..);
        Self {
            head: raw.slice(..index.length()),
            index: Arc::new(index),
            body: Arc::new(body),
        }
    }

    /// Makes a message of its two parts, divided by [`head_length`](crate::head_length) or
    /// [`HeadEnd`](crate::HeadEnd): `head` includes the empty line, if there was one.
    pub fn from_parts(head: Bytes, body: Arc<dyn Body>) -> Self {
        let index = Arc::new(Index::of(&head));
        Self { head, index, body }
    }

    /// Returns the same body with another header section.
    pub(crate) fn with_head(&self, head: Bytes) -> Self {
        Self::from_parts(head, Arc::clone(&self.body))
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Returns the octets of the header section, with the empty line that ends it, if there is one.
    pub fn head(&self) -> &Bytes {
        &self.head
    }

    /// Returns the body.
    pub fn body(&self) -> &Arc<dyn Body> {
        &self.body
    }

    /// Returns the octets of the whole message.
    pub fn size(&self) -> u64 {
        self.head.len() as u64 + self.body.len()
    }

    /// Returns all fields, top to bottom.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'_>> + Clone {
        self.index
            .iter()
            .map(|(start, colon, end)| Field::new(&self.head[start..end], colon - start))
    }

    /// Returns the fields of that name, top to bottom; case does not matter.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> + Clone {
        self.fields().filter(move |field| field.is(name))
    }

    /// Returns the first field of that name, [unfolded and trimmed](Field::unfolded).
    pub fn header(&self, name: &str) -> Option<String> {
        self.named(name).next().map(|field| field.unfolded())
    }

    /// Returns all fields of that name, top to bottom, [unfolded and trimmed](Field::unfolded).
    pub fn headers_named(&self, name: &str) -> Vec<String> {
        self.named(name).map(|field| field.unfolded()).collect()
    }

    /// Returns true if the header section ends at a line that is no field instead of at an empty
    /// line. The lines after it are body here, but a reader that skips such lines may see fields.
    pub fn ends_in_no_field(&self) -> bool {
        self.index.length() == self.index.end_of_fields() && !self.body.is_empty()
    }

    /// Returns the number of fields of that name.
    pub fn count(&self, name: &str) -> usize {
        self.named(name).count()
    }

    /// Reads the whole message into memory.
    ///
    /// # Errors
    /// Those of reading the body; [`BodyDamage`](crate::BodyDamage) if its checksum is wrong,
    /// `UnexpectedEof` if it is shorter than its length, and `OutOfMemory` if it is longer than an
    /// address space.
    pub fn to_bytes(&self) -> io::Result<Bytes> {
        let size = usize::try_from(self.size()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut raw = BytesMut::zeroed(size);
        let (head, mut body) = raw.split_at_mut(self.head.len());
        head.copy_from_slice(&self.head);
        let mut offset = 0;
        let mut checksum = self.body.checksum()?;
        while !body.is_empty() {
            match self.body.read_at(offset, body) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    if let Some(checksum) = &mut checksum {
                        checksum.add(&body[..length]);
                    }
                    offset += length as u64;
                    body = &mut body[length..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        checksum.map_or(Ok(()), Checksum::check)?;
        Ok(raw.freeze())
    }
}

/// Writes sizes alone: the text of mail does not belong in a log.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("fields", &self.fields().len())
            .field("head", &self.head.len())
            .field("body", &self.body.len())
            .finish()
    }
}
