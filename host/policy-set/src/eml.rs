//! Messages stored in files, read as they would have come over SMTP.

use std::io;
use std::path::Path;

use gatepost_message::Message;
use tokio::io::AsyncReadExt as _;

/// Length in bytes of the longest message that is read.
pub const LONGEST: u64 = 256 << 20;

/// Reads a message from a file that an operator has named, which may be a pipe; see
/// [`Message::from_stored`].
///
/// # Errors
/// The file cannot be read, or is longer than any message.
pub async fn read(path: &Path) -> io::Result<Message> {
    let mut stored = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(LONGEST + 1).read_to_end(&mut stored).await?;
    admit(&stored)?;
    Ok(Message::from_stored(&stored))
}

/// Reads a message from a file that the configuration names: a regular one.
///
/// # Errors
/// As [`read`], or it is no regular file.
pub async fn read_configured(path: &Path) -> io::Result<Message> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || gatepost_files::read(&path, LONGEST));
    let stored = read.await.map_err(io::Error::other)??;
    Ok(Message::from_stored(&stored))
}

/// Refuses a file that is longer than any message.
///
/// # Errors
/// It is longer than [`LONGEST`].
pub fn admit(stored: &[u8]) -> io::Result<()> {
    match stored.len() as u64 > LONGEST {
        true => {
            let text = format!("it has more than {LONGEST} octets, and is no message");
            Err(io::Error::new(io::ErrorKind::InvalidInput, text))
        }
        false => Ok(()),
    }
}
