//! Messages stored in files, read as they would have come over SMTP.

use std::io;
use std::path::Path;

use gatepost_message::Message;

/// Reads a message from a file; see [`Message::from_stored`].
///
/// # Errors
/// The file cannot be read.
pub async fn read(path: &Path) -> io::Result<Message> {
    let stored = tokio::fs::read(path).await?;
    Ok(Message::from_stored(&stored))
}
