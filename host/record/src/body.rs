//! Body that was not recorded, only its size.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gatepost_message::{Body, Message};

/// Body of which a record has the size alone. A read of it fails, and is noted.
#[derive(Debug, Default)]
pub struct MissingBody {
    length: u64,
    reads: AtomicU64,
}

impl MissingBody {
    /// Makes a body of so many octets.
    pub fn new(length: u64) -> Arc<Self> {
        Arc::new(Self {
            length,
            reads: AtomicU64::new(0),
        })
    }

    /// Returns how often somebody wanted octets of it.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

impl Body for MissingBody {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, _: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.reads.fetch_add(1, Ordering::Relaxed);
        Err(io::Error::other("the body was not recorded"))
    }
}

/// Returns the message with a body whose octets are not there, and that body.
pub fn without_body(message: &Message) -> (Message, Arc<MissingBody>) {
    let body = MissingBody::new(message.body().len());
    let head = message.head().clone();
    (Message::from_parts(head, body.clone()), body)
}
