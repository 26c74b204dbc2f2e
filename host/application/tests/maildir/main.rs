//! Delivery into real folders.
#![allow(clippy::unwrap_used)]

mod crash;
mod dovecot;
mod files;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use gatepost_application::{MaildirSettings, Outcome, Target};

use self::support::{Mail, application};

/// Delivers a message into a Maildir.
fn deliver(folder: &Path, mail: &Mail) -> Vec<Outcome> {
    let path = folder.to_owned();
    let target = Target::Maildir(MaildirSettings { path });
    let recipients = mail.recipients();
    let letter = mail.letter(&recipients);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(application().deliver(&target, &letter))
}

/// Returns the files of one of the folders: their names and octets, by name.
fn files(folder: &Path, part: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder.join(part)).unwrap().flatten();
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    let mut files: Vec<_> = entries.map(file).collect();
    files.sort();
    files
}
