//! Storage for the octets of DATA while they arrive.

use std::io::{self, Write as _};
use std::mem;
use std::sync::Arc;

use gatepost_message::TransactionId;
use gatepost_smtp::Reply;
use gatepost_spool::{BodyStore, INLINE_LIMIT, SpoolError, Staged, Staging};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::{local_error, no_room, spool_refusal};

/// Number of large messages written at a time. Each takes a thread while it is written; more would
/// only queue up at the disk.
pub(super) const WRITERS: usize = 16;

/// Octets of a large message that are gathered before they are written.
const CHUNK: usize = 256 << 10;

/// The octets of one message. Dropped, it leaves nothing behind.
pub(super) enum IncomingData {
    /// Octets are being stored.
    Open {
        staging: Staging,
        /// Octets of a large message that are still to be written.
        waiting: Vec<u8>,
    },
    /// Octets cannot be stored: the client gets this reply at the end of its data.
    Failed(Reply),
}

impl IncomingData {
    pub(super) fn open(bodies: &Arc<dyn BodyStore>, id: TransactionId) -> Self {
        match Staging::begin(bodies, id) {
            Ok(staging) => Self::Open {
                staging,
                waiting: Vec::new(),
            },
            Err(error) => Self::Failed(spool_refusal(&error)),
        }
    }

    /// Stores what has arrived. A small message stays in memory; a large one goes to a file, once
    /// one of the `writers` permits is free.
    pub(super) async fn store(&mut self, octets: &[u8], writers: &Semaphore) {
        let Self::Open { staging, waiting } = self else {
            return;
        };
        let length = staging.len() + waiting.len() as u64 + octets.len() as u64;
        if length <= INLINE_LIMIT as u64 {
            if let Err(error) = staging.write_all(octets) {
                *self = Self::Failed(write_refusal(&error));
            }
            return;
        }
        waiting.extend_from_slice(octets);
        if waiting.len() >= CHUNK {
            self.write_out(writers).await;
        }
    }

    async fn write_out(&mut self, writers: &Semaphore) {
        let Self::Open {
            mut staging,
            waiting,
        } = mem::replace(self, Self::Failed(local_error()))
        else {
            return;
        };
        // Never closed, so never an error.
        let _writer = writers.acquire().await;
        let written = spawn_blocking(move || staging.write_all(&waiting).map(|()| staging)).await;
        *self = match written {
            Ok(Ok(staging)) => Self::Open {
                staging,
                waiting: Vec::new(),
            },
            Ok(Err(error)) => Self::Failed(write_refusal(&error)),
            Err(_panicked) => Self::Failed(local_error()),
        };
    }

    /// Ends the message. A large one is on disk when this returns.
    pub(super) async fn finish(mut self, writers: &Semaphore) -> Result<Staged, Reply> {
        if matches!(&self, Self::Open { waiting, .. } if !waiting.is_empty()) {
            self.write_out(writers).await;
        }
        let staging = match self {
            Self::Open { staging, .. } => staging,
            Self::Failed(reply) => return Err(reply),
        };
        let staged = if staging.len() <= INLINE_LIMIT as u64 {
            staging.finish()
        } else {
            let _writer = writers.acquire().await;
            let finished = spawn_blocking(|| staging.finish()).await;
            finished.unwrap_or(Err(SpoolError::Closed))
        };
        staged.map_err(|error| spool_refusal(&error))
    }
}

fn write_refusal(error: &io::Error) -> Reply {
    match error.kind() {
        io::ErrorKind::StorageFull => no_room(error),
        _ => {
            tracing::error!(%error, "the body cannot be written");
            local_error()
        }
    }
}
