//! Where the octets of DATA go while they arrive.

use std::io::{self, Write as _};

use gatepost_message::TransactionId;
use gatepost_smtp::Reply;
use gatepost_spool::{INLINE_LIMIT, Spool, SpoolError, Staged, Staging};
use tokio::sync::Semaphore;

use super::spool_refusal;

/// How many large messages are written at a time. Each takes a thread while it is; more would
/// only queue up at the disk.
pub(super) const WRITERS: usize = 16;

/// The octets of one message. Dropped, it leaves nothing behind.
pub(super) enum Intake {
    /// They are being taken.
    Staging(Staging),
    /// They cannot be taken: the client is told so at the end of its data.
    Failed(Reply),
}

impl Intake {
    pub(super) fn open(spool: &dyn Spool, id: TransactionId) -> Self {
        match spool.stage(id) {
            Ok(staging) => Self::Staging(staging),
            Err(error) => Self::Failed(spool_refusal(&error)),
        }
    }

    /// Takes what has arrived. A small message stays in memory; a large one goes to a file, for
    /// which it waits until it is one of the `writers`.
    pub(super) async fn take(&mut self, octets: &[u8], writers: &Semaphore) {
        let Self::Staging(staging) = self else { return };
        let taken = if staging.len() + octets.len() as u64 <= INLINE_LIMIT as u64 {
            staging.write_all(octets)
        } else {
            // Never closed, so never an error.
            let _writer = writers.acquire().await;
            tokio::task::block_in_place(|| staging.write_all(octets))
        };
        if let Err(error) = taken {
            *self = Self::Failed(write_refusal(error));
        }
    }

    /// Ends the message. A large one is on disk when this returns.
    pub(super) async fn finish(self, writers: &Semaphore) -> Result<Staged, Reply> {
        let staging = match self {
            Self::Staging(staging) => staging,
            Self::Failed(reply) => return Err(reply),
        };
        let staged = if staging.len() <= INLINE_LIMIT as u64 {
            staging.finish()
        } else {
            let _writer = writers.acquire().await;
            tokio::task::spawn_blocking(|| staging.finish())
                .await
                .unwrap_or(Err(SpoolError::Closed))
        };
        staged.map_err(|error| spool_refusal(&error))
    }
}

fn write_refusal(error: io::Error) -> Reply {
    match error.kind() {
        io::ErrorKind::StorageFull => {
            tracing::warn!(%error, "no room for mail");
            Reply::new(452, "4.3.1", "Insufficient system storage, try again later")
        }
        _ => {
            tracing::error!(%error, "the body cannot be written");
            Reply::new(451, "4.3.0", "Local error, try again later")
        }
    }
}
