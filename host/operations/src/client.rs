//! Client side of the control socket, for the command line.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::socket;
use crate::error::OperationError;
use crate::operation::Operation;
use crate::wire::{Reply, Sent};

/// Error of asking a relay.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The socket cannot be opened, or the connection broke.
    #[error("cannot ask the relay on {}: {source}", path.display())]
    Io {
        /// Path of the socket.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// The relay ended before it answered.
    #[error("the relay on {} has ended before it answered; ask again", .0.display())]
    Ended(PathBuf),
    /// The response cannot be parsed; the relay may be of another version.
    #[error(
        "the relay's answer cannot be understood ({0}); is it of the same version as this command?"
    )]
    Answer(#[from] serde_json::Error),
}

/// Has the relay that runs on this store execute an operation. Returns `None` if none runs.
///
/// # Errors
/// A relay may be running, but cannot be asked.
pub async fn call<O: Operation>(
    store: &Path,
    request: &O,
) -> Result<Option<Result<O::Answer, OperationError>>, ClientError> {
    let path = socket::path(store);
    let failed = |source| ClientError::Io {
        path: path.clone(),
        source,
    };
    let stream = match UnixStream::connect(&path).await {
        Ok(stream) => stream,
        // There is no socket, or only one left behind by a killed relay.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let (reader, mut writer) = stream.into_split();
    let mut line = serde_json::to_vec(&Sent::new(request))?;
    line.push(b'\n');
    writer.write_all(&line).await.map_err(failed)?;
    let mut answer = String::new();
    let mut reader = BufReader::new(reader);
    let read = reader.read_line(&mut answer).await;
    if matches!(read, Ok(0)) {
        return Err(ClientError::Ended(path));
    }
    read.map_err(failed)?;
    Ok(Some(match serde_json::from_str(&answer)? {
        Reply::Answer(answer) => Ok(answer),
        Reply::Error(error) => Err(error),
    }))
}
