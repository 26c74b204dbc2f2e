//! Body of HTTP that is read as it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame as BodyFrame, SizeHint};
use tokio::sync::mpsc;

/// Pieces that wait to be sent.
const AHEAD: usize = 4;

/// Body that is read piece by piece as it is sent.
#[derive(Debug)]
pub struct PieceBody {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    remaining: u64,
}

impl PieceBody {
    /// Begins to read the pieces, which come to so many octets. Reading may block.
    pub fn begin(
        body: impl Iterator<Item = io::Result<Bytes>> + Send + 'static,
        length: u64,
    ) -> Self {
        let (send, pieces) = mpsc::channel(AHEAD);
        // It ends with the body, or with the request: then nobody receives.
        tokio::task::spawn_blocking(move || {
            for piece in body {
                if send.blocking_send(piece).is_err() {
                    return;
                }
            }
        });
        Self {
            pieces,
            remaining: length,
        }
    }
}

impl Body for PieceBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<BodyFrame<Bytes>>>> {
        let piece = std::task::ready!(self.pieces.poll_recv(context));
        Poll::Ready(piece.map(|piece| {
            let piece = piece?;
            self.remaining = self.remaining.saturating_sub(piece.len() as u64);
            Ok(BodyFrame::data(piece))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
