//! Storage of the sink's messages. A file gets its name when the message is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use gatepost_message::TransactionId;

/// Directory of stored messages, or none.
pub(super) struct MessageStore {
    directory: Option<PathBuf>,
    /// Number of the last message.
    last: AtomicU64,
}

/// Message that is still arriving. Dropping it removes its file.
pub(super) struct PartialMessage(Option<(PathBuf, BufWriter<File>)>);

impl MessageStore {
    /// Stores messages in this directory, numbered after those that it holds.
    pub(super) fn new(directory: Option<PathBuf>) -> io::Result<Self> {
        let mut last = 0;
        if let Some(directory) = &directory {
            fs::create_dir_all(directory)?;
            for entry in fs::read_dir(directory)? {
                let name = entry?.file_name();
                let number = name.to_str().and_then(|name| name.strip_suffix(".eml"));
                last = last.max(number.and_then(|n| n.parse().ok()).unwrap_or(0));
            }
        }
        Ok(Self {
            directory,
            last: AtomicU64::new(last),
        })
    }

    /// Begins a message.
    pub(super) fn begin(&self) -> io::Result<PartialMessage> {
        let Some(directory) = &self.directory else {
            return Ok(PartialMessage(None));
        };
        let path = directory.join(format!("{}.part", TransactionId::new()));
        let file = BufWriter::new(File::create_new(&path)?);
        Ok(PartialMessage(Some((path, file))))
    }

    /// Completes a message. Returns its number and, if messages are stored, its file.
    pub(super) fn finish(
        &self,
        draft: Option<PartialMessage>,
    ) -> io::Result<(u64, Option<PathBuf>)> {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let kept = draft.and_then(|mut draft| draft.0.take());
        let (Some((part, mut file)), Some(directory)) = (kept, &self.directory) else {
            return Ok((number, None));
        };
        file.flush()?;
        let path = directory.join(format!("{number}.eml"));
        fs::rename(part, &path)?;
        Ok((number, Some(path)))
    }
}

impl PartialMessage {
    /// Writes the next bytes of the message.
    pub(super) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Some((_, file)) => file.write_all(octets),
            None => Ok(()),
        }
    }
}

impl Drop for PartialMessage {
    fn drop(&mut self) {
        if let Some((path, _)) = self.0.take()
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove what is left of a message");
        }
    }
}
