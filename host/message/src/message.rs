//! The message: header section in memory, body wherever it is.

use std::{fmt, io, sync::Arc};

use bytes::{Bytes, BytesMut};

use crate::{Body, Checksum, Field, head::Index};

/// A message as it came, with an index over its header section. A clone shares everything.
#[derive(Clone)]
pub struct Message {
    head: Bytes,
    index: Arc<Index>,
    body: Arc<dyn Body>,
}

impl Message {
    /// Takes a whole message. Any octets are one: where they make no sense as a header section
    /// they are body.
    pub fn from_bytes(raw: Bytes) -> Self {
        let index = Index::of(&raw);
        let body = raw.slice(index.length()..);
        Self {
            head: raw.slice(..index.length()),
            index: Arc::new(index),
            body: Arc::new(body),
        }
    }

    /// Takes the two parts of a message, cut where [`head_length`](crate::head_length) or
    /// [`HeadEnd`](crate::HeadEnd) says: `head` includes the empty line, where there was one.
    pub fn from_parts(head: Bytes, body: Arc<dyn Body>) -> Self {
        let index = Arc::new(Index::of(&head));
        Self { head, index, body }
    }

    /// The same body under another header section.
    pub(crate) fn with_head(&self, head: Bytes) -> Self {
        Self::from_parts(head, Arc::clone(&self.body))
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// The header section as it will be written, with the empty line that ends it where there is
    /// one.
    pub fn head(&self) -> &Bytes {
        &self.head
    }

    /// What follows the header section.
    pub fn body(&self) -> &Arc<dyn Body> {
        &self.body
    }

    /// Octets of the whole message.
    pub fn size(&self) -> u64 {
        self.head.len() as u64 + self.body.len()
    }

    /// Every field, top to bottom.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'_>> + Clone {
        self.index
            .iter()
            .map(|(start, colon, end)| Field::new(&self.head[start..end], colon - start))
    }

    /// The fields of that name, top to bottom; case does not matter.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> + Clone {
        self.fields().filter(move |field| field.is(name))
    }

    /// The first field of that name, [unfolded and trimmed](Field::unfolded).
    pub fn header(&self, name: &str) -> Option<String> {
        self.named(name).next().map(|field| field.unfolded())
    }

    /// All fields of that name, top to bottom, [unfolded and trimmed](Field::unfolded).
    pub fn headers_named(&self, name: &str) -> Vec<String> {
        self.named(name).map(|field| field.unfolded()).collect()
    }

    /// Whether a line that is no field ends the header section, and no empty line: what stands
    /// behind it is body here, and may be more of the section for a reader that skips such lines.
    pub fn ends_in_no_field(&self) -> bool {
        self.index.length() == self.index.end_of_fields() && !self.body.is_empty()
    }

    /// How many fields of that name there are.
    pub fn count(&self, name: &str) -> usize {
        self.named(name).count()
    }

    /// The whole message in memory.
    ///
    /// # Errors
    /// Those of reading the body; [`BodyDamage`](crate::BodyDamage) where it is not what was
    /// stored, `UnexpectedEof` where it is shorter than it said, and `OutOfMemory` where it is longer
    /// than an address space.
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

/// Sizes alone: what people write to each other does not belong in a log.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("fields", &self.fields().len())
            .field("head", &self.head.len())
            .field("body", &self.body.len())
            .finish()
    }
}
