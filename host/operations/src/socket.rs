//! The relay's end of the control socket.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::future::Future;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::protocol::{Request, Response};
use super::stage::Counter;

/// Octets of a request: a large module in base64 fits.
const LONGEST: u64 = 64 << 20;

/// Where the control socket of a store is.
pub fn path(store: &Path) -> PathBuf {
    store.join("control.sock")
}

/// The control socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the control socket {}: {source}", path.display())]
pub struct SocketError {
    path: PathBuf,
    source: io::Error,
}

/// The relay's end of the control socket. Its file goes with it.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The directory of the store, locked: whoever holds it may make the socket. The queue has a
    /// lock of its own, which is not held yet when this one is taken.
    _lock: File,
}

impl ControlSocket {
    /// Makes the socket, and the directory of the store (mode 0700) where there is none, in place
    /// of one that a relay has left behind.
    ///
    /// # Errors
    /// Another relay has its own there, the store cannot be written to, or its path is too long for
    /// a socket (about 100 octets).
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

    /// Answers operators until `stop` is ready.
    pub async fn serve(self, counter: Counter, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let counter = counter.clone();
                    tokio::spawn(async move {
                        if let Err(error) = serve(stream, &counter).await {
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

/// A socket is made with the permissions of the umask; so that nobody else can open it before it
/// has its own, it is made in a private directory and moved.
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

async fn serve(stream: UnixStream, counter: &Counter) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        (&mut reader)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .await?;
        if line.is_empty() {
            return Ok(());
        }
        let whole = line.ends_with(b"\n");
        let response = if whole {
            match serde_json::from_slice::<Request>(&line) {
                Ok(request) => counter.answer(request).await,
                Err(error) => Response::Failed(format!("not a request: {error}")),
            }
        } else {
            Response::Failed(format!("a request is one line of at most {LONGEST} octets"))
        };
        let mut line = serde_json::to_vec(&response)?;
        line.push(b'\n');
        writer.write_all(&line).await?;
        if !whole {
            return Ok(());
        }
    }
}
