//! Conversion of messages for next hops that do not accept them as they are, within a bound on
//! memory: 8-bit messages without 8BITMIME, long lines without CHUNKING.
//!
//! A message is converted in memory and stays there until it is sent, maybe to a slow server. So
//! all messages that are being converted or sent share [`MEMORY`]; a conversion waits until there
//! is enough of it.

use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{LongLines, Message, Needs, convert};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use crate::content::Content;

/// Largest message that is converted, in octets.
const MAX_MESSAGE: u64 = 16 << 20;

/// Memory for all conversions together, in octets.
const MEMORY: usize = 64 << 20;

/// Octets of one permit.
const UNIT: u64 = 64 << 10;

/// Memory of a running conversion, in sizes of the message: the message, and its Base64 form at
/// every level.
const MEMORY_FACTOR: u64 = 4;

/// Converts messages, with a bound on their memory.
pub(crate) struct Converter {
    room: Arc<Semaphore>,
}

/// A converted message.
pub(crate) struct Converted {
    pub(crate) message: Message,
    pub(crate) content: Content,
    /// Signatures of this form.
    pub(crate) signatures: OnceCell<Bytes>,
    _room: OwnedSemaphorePermit,
}

impl Converter {
    pub(crate) fn new() -> Self {
        let permits = MEMORY / usize::try_from(UNIT).unwrap_or(MEMORY);
        Self {
            room: Arc::new(Semaphore::new(permits)),
        }
    }

    /// Converts a message for a server; returns `None` if it must stay as it is, and logs the
    /// reason.
    pub(crate) async fn convert(
        &self,
        message: &Message,
        content: Content,
        needs: Needs,
    ) -> Option<Converted> {
        let Needs {
            ascii, short_lines, ..
        } = needs;
        if message.size() > MAX_MESSAGE {
            let size = message.size();
            tracing::info!(size, ascii, short_lines, "too large to be converted");
            return None;
        }
        let units = (message.size() * MEMORY_FACTOR).div_ceil(UNIT);
        let room = Arc::clone(&self.room);
        // Neither can fail: the semaphore is never closed, and no message needs more than it has.
        let room = room
            .acquire_many_owned(u32::try_from(units).ok()?)
            .await
            .ok()?;
        let message = message.clone();
        let converting = tokio::task::spawn_blocking(move || {
            let raw = message.to_bytes().map_err(|error| error.to_string())?;
            convert(&raw, needs).map_err(|error| error.to_string())
        });
        let raw = match converting
            .await
            .unwrap_or_else(|error| Err(error.to_string()))
        {
            Ok(raw) => Bytes::from(raw),
            Err(reason) => {
                tracing::info!(reason, ascii, short_lines, "not converted");
                return None;
            }
        };
        tracing::info!(ascii, short_lines, "converted for the next hop");
        for (needed, to) in [(ascii, "7bit"), (short_lines, "short-lines")] {
            if needed {
                metrics::counter!("gatepost_conversions_total", "to" => to).increment(1);
            }
        }
        Some(Converted {
            content: Content {
                eight_bit: !raw.is_ascii(),
                long_lines: LongLines::are_in(&raw),
                ends_in_crlf: raw.ends_with(b"\r\n"),
                ..content
            },
            message: Message::from_bytes(raw),
            signatures: OnceCell::new(),
            _room: room,
        })
    }
}
