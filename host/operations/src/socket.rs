//! Server side of the control socket.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::future::Future;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::stage::RequestHandler;
use crate::asker::Asker;
use crate::code::Code;
use crate::error::OperationError;
use crate::operation;
use crate::wire::{Received, Reply};

/// Maximum size of a request in bytes: a large module in base64 fits.
const MAX_REQUEST: u64 = 64 << 20;

/// Returns the path of the control socket of a store.
pub fn path(store: &Path) -> PathBuf {
    store.join("control.sock")
}

/// Error of making the control socket.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the control socket {}: {source}", path.display())]
pub struct SocketError {
    path: PathBuf,
    source: io::Error,
}

/// Listening control socket. Dropping it removes its file.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Lock on the directory of the store: only its holder may make the socket. The queue has a
    /// lock of its own, which is taken later.
    _lock: File,
}

impl ControlSocket {
    /// Makes the socket, in place of one that a killed relay has left behind. Creates the directory
    /// of the store (mode 0700) if it does not exist.
    ///
    /// # Errors
    /// Another relay listens there, the store cannot be written to, or its path is too long for a
    /// socket (about 100 bytes).
    pub fn bind(store: &Path) -> Result<Self, SocketError> {
        let path = path(store);
        let bound = || {
            (DirBuilder::new().recursive(true).mode(0o700)).create(store)?;
            let lock = File::open(store)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let text = "another relay answers on it";
                    return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            Ok((bind_privately(store, &path)?, lock))
        };
        match bound() {
            Ok((listener, lock)) => Ok(Self {
                listener,
                path,
                _lock: lock,
            }),
            Err(source) => Err(SocketError { path, source }),
        }
    }

    /// Answers requests until `stop` is ready.
    pub async fn serve(self, handler: RequestHandler, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let handler = handler.clone();
                    tokio::spawn(async move {
                        if let Err(error) = serve_connection(stream, &handler).await {
                            tracing::debug!(%error, "a control connection broke");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a control connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "cannot remove the control socket");
        }
    }
}

/// Binds a socket of mode 0600. It would have the permissions of the umask at first, so it is bound
/// in a private directory and moved from there when its mode is set.
fn bind_privately(store: &Path, path: &Path) -> io::Result<UnixListener> {
    let private = store.join(".control");
    match fs::remove_dir_all(&private) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&private)?;
    let made = private.join("s");
    let listener = UnixListener::bind(&made)?;
    fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    fs::rename(&made, path)?;
    fs::remove_dir(&private)?;
    Ok(listener)
}

async fn serve_connection(stream: UnixStream, handler: &RequestHandler) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let asker = tokio::task::spawn_blocking(move || Asker::at_the_socket(uid)).await?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        (&mut reader)
            .take(MAX_REQUEST)
            .read_until(b'\n', &mut line)
            .await?;
        if line.is_empty() {
            return Ok(());
        }
        let whole = line.ends_with(b"\n");
        let mut line = match (whole, serde_json::from_slice::<Received>(&line)) {
            (true, Ok(received)) => operation::answer(handler, received, &asker).await?,
            (true, Err(error)) => refusal(format!("not a request: {error}"))?,
            (false, _) => refusal(format!(
                "a request is one line of at most {MAX_REQUEST} bytes"
            ))?,
        };
        line.push(b'\n');
        writer.write_all(&line).await?;
        if !whole {
            return Ok(());
        }
    }
}

fn refusal(text: String) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Reply::<()>::Error(OperationError::new(
        Code::NotUnderstood,
        text,
    )))
}
