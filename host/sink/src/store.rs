//! Storage of the messages. A file gets its name when the message is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use gatepost_message::TransactionId;
use serde::Serialize;

/// Directory of stored messages, or none.
pub struct MessageStore {
    directory: Option<PathBuf>,
    /// Number of the last message.
    last: AtomicU64,
}

/// Message that is still arriving. Dropping it removes its file.
pub struct PartialMessage(Option<(PathBuf, BufWriter<File>)>);

/// Accepted message: its envelope, and how it came.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KeptMessage {
    /// Number of the message, from 1.
    pub number: u64,
    /// Number of the connection, from 1.
    pub connection: u64,
    /// Reverse-path; empty when null.
    pub from: String,
    /// Recipients that were accepted.
    pub to: Vec<String>,
    /// True if SMTPUTF8 was among the parameters of MAIL (RFC 6531).
    pub smtputf8: bool,
    /// Notification parameters of MAIL (RFC 3461).
    pub dsn: String,
    /// Notification parameters of each RCPT.
    pub dsn_to: Vec<String>,
    /// All parameters of MAIL, as given.
    pub parameters: Vec<String>,
    /// Size in octets.
    pub size: u64,
    /// True if an octet is outside ASCII.
    pub eight_bit: bool,
    /// True if it came by BDAT.
    pub chunked: bool,
    /// Argument of EHLO, LHLO or HELO.
    pub helo: Option<String>,
    /// Protocol and cipher of the connection under TLS.
    pub tls: Option<String>,
    /// Certificate that the client has shown under TLS, in base64.
    pub client_certificate: Option<String>,
    /// User that AUTH proved.
    pub user: Option<String>,
    /// Mechanism of AUTH.
    pub mechanism: Option<String>,
    /// Arguments of XFORWARD.
    pub xforward: Vec<String>,
    /// File of the message, if messages are stored.
    pub file: Option<PathBuf>,
}

impl MessageStore {
    /// Stores messages in this directory, numbered after those that it holds.
    ///
    /// # Errors
    /// The directory cannot be made or read.
    pub fn new(directory: Option<PathBuf>) -> io::Result<Self> {
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
    ///
    /// # Errors
    /// Its file cannot be made.
    pub fn begin(&self) -> io::Result<PartialMessage> {
        let Some(directory) = &self.directory else {
            return Ok(PartialMessage(None));
        };
        let path = directory.join(format!("{}.part", TransactionId::new()));
        let file = BufWriter::new(File::create_new(&path)?);
        Ok(PartialMessage(Some((path, file))))
    }

    /// Completes a message. Returns its number and, if messages are stored, its file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(&self, draft: Option<PartialMessage>) -> io::Result<(u64, Option<PathBuf>)> {
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

impl KeptMessage {
    /// Writes the envelope as JSON beside the message, if that is stored.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_beside(&self) -> io::Result<()> {
        match &self.file {
            Some(file) => fs::write(
                file.with_extension("json"),
                serde_json::to_vec_pretty(self)?,
            ),
            None => Ok(()),
        }
    }
}

impl PartialMessage {
    /// Writes the next bytes of the message.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, octets: &[u8]) -> io::Result<()> {
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
            let path = path.display();
            tracing::warn!(%path, %error, "cannot remove what is left of a message");
        }
    }
}
