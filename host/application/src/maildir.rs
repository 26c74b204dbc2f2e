//! Delivery into a Maildir: `tmp`, `new` and `cur` (<https://cr.yp.to/proto/maildir.html>).
//!
//! A file is written in `tmp`, synced, and renamed into `new`, which is synced in turn. Its name is
//! the same for every try to deliver one message to one recipient. So a crash at any point leaves a
//! message that is delivered again, and a second try replaces the first unless the application has
//! taken it meanwhile.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use gatepost_message::{Address, Edit, FieldBody, FieldName, Message};
use gatepost_smtp::Reply;
use ring::digest;

use crate::letter::LetterRecipient;
use crate::pieces::MessagePieces;
use crate::signature::hex;
use crate::{Alarm, Letter, MaildirSettings, Outcome};

/// Delivers to each recipient by a file of its own.
pub(crate) async fn deliver(
    settings: &MaildirSettings,
    hostname: &str,
    letter: &Letter<'_>,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for recipient in letter.rcpt_to {
        let folder = settings.path.clone();
        let name = name(letter, recipient, hostname);
        let message = delivered(letter, recipient);
        let writing = tokio::task::spawn_blocking(move || write(&folder, &name, &message));
        outcomes.push(match writing.await {
            Ok(Ok(())) => Outcome::delivered("Delivered to the Maildir"),
            Ok(Err(WriteError::Message(error))) => Outcome::unreadable(&error),
            Ok(Err(WriteError::Folder(error))) => unwritten(&error),
            // The runtime is shutting down.
            Err(error) => unwritten(&io::Error::other(error)),
        });
    }
    outcomes
}

/// Error of writing: whose it is.
enum WriteError {
    /// The message cannot be read.
    Message(io::Error),
    /// The folder cannot be written.
    Folder(io::Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Folder(error)
    }
}

/// Returns the outcome of an error of the folder: mail waits.
fn unwritten(error: &io::Error) -> Outcome {
    let full = matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    );
    let outcome = match full {
        true => Outcome::waits(
            Alarm::DiskFull,
            Reply::new(452, "4.3.1", "No room for the message"),
        ),
        false => {
            let reply = Reply::new(451, "4.3.0", "Message cannot be stored now");
            Outcome::waits(Alarm::Unwritable, reply)
        }
    };
    outcome.with_detail(&error.to_string())
}

/// Returns the file's name: time of acceptance, message and recipient, host. Nothing in it is a
/// stranger's but a digest.
fn name(letter: &Letter<'_>, recipient: &LetterRecipient<'_>, hostname: &str) -> String {
    let recipient = digest::digest(&digest::SHA256, recipient.address.as_str().as_bytes());
    let host: String = hostname
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
        .collect();
    let seconds = letter.received.0 / 1000;
    let recipient = hex(&recipient.as_ref()[..8]);
    format!("{seconds}.{}_{recipient}.{host}", letter.transaction)
}

/// Returns the message with the fields of a final delivery on top: Return-Path (RFC 5321 section
/// 4.4), in the place of any that it had, Delivered-To, and X-Original-To if the sender wrote to
/// another address.
fn delivered(letter: &Letter<'_>, recipient: &LetterRecipient<'_>) -> Message {
    let add = |name: &str, body: &str| {
        let (name, body) = (FieldName::new(name).ok()?, FieldBody::new(body).ok()?);
        Some(Edit::Add { name, body })
    };
    let return_path = FieldName::new("Return-Path").ok();
    let original = recipient.original.map(Address::as_str);
    let edits: Vec<_> = [
        original.and_then(|original| add("X-Original-To", original)),
        add("Delivered-To", recipient.address.as_str()),
        return_path.map(|name| Edit::Remove { name }),
        add("Return-Path", &format!("<{}>", letter.mail_from)),
    ]
    .into_iter()
    .flatten()
    .collect();
    letter.message.edited(&edits)
}

fn write(folder: &Path, name: &str, message: &Message) -> Result<(), WriteError> {
    make(folder)?;
    let tmp = folder.join("tmp").join(name);
    let written = write_file(&tmp, message);
    if let Err(error) = written {
        // What cannot be removed is replaced by the next try.
        let _ = fs::remove_file(&tmp);
        return Err(error);
    }
    let new = folder.join("new");
    fs::rename(&tmp, new.join(name))?;
    Ok(File::open(new)?.sync_all()?)
}

/// Makes the folder and its three folders if they are not there, durably.
fn make(folder: &Path) -> io::Result<()> {
    for part in ["", "tmp", "new", "cur"] {
        let path = if part.is_empty() {
            folder.to_owned()
        } else {
            folder.join(part)
        };
        if path.is_dir() {
            continue;
        }
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
    }
    Ok(())
}

fn write_file(path: &Path, message: &Message) -> Result<(), WriteError> {
    // `create_new` follows no link. What stands there is of a try that a crash ended.
    let create = || {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    };
    let file = match create() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()?
        }
        file => file?,
    };
    let mut file = BufWriter::new(file);
    for piece in MessagePieces::of(message) {
        file.write_all(&piece.map_err(WriteError::Message)?)?;
    }
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_full_quota_are_told_from_other_errors() {
        for (number, code) in [(28, 452), (122, 452), (13, 451), (5, 451)] {
            let outcome = unwritten(&io::Error::from_raw_os_error(number));
            assert_eq!(outcome.reply.code(), code, "{number}");
            assert!(outcome.alarm.is_some());
        }
    }
}
