//! Where the sink keeps messages: written as they arrive, named when they are whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use gatepost_message::TransactionId;

/// The directory of kept messages, or none.
pub(super) struct Keep {
    directory: Option<PathBuf>,
    /// Number of the message before.
    last: AtomicU64,
}

/// A message that is still arriving. Dropped, it leaves nothing.
pub(super) struct Draft(Option<(PathBuf, BufWriter<File>)>);

impl Keep {
    /// Keeps messages in this directory, after those that are there.
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

    /// A message begins.
    pub(super) fn begin(&self) -> io::Result<Draft> {
        let Some(directory) = &self.directory else {
            return Ok(Draft(None));
        };
        let path = directory.join(format!("{}.part", TransactionId::new()));
        let file = BufWriter::new(File::create_new(&path)?);
        Ok(Draft(Some((path, file))))
    }

    /// A message is whole: its number and, if messages are kept, its file.
    pub(super) fn finish(&self, draft: Option<Draft>) -> io::Result<(u64, Option<PathBuf>)> {
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

impl Draft {
    /// More of the message.
    pub(super) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Some((_, file)) => file.write_all(octets),
            None => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some((path, _)) = self.0.take()
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove what is left of a message");
        }
    }
}
