//! A process is killed while it writes a message; the message is delivered whole by the next try.

use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use gatepost_message::{Body, TransactionId};

use crate::support::Mail;
use crate::{deliver, files};

/// Folder of the process that is killed, which is this test program once more.
const FOLDER: &str = "GATEPOST_TEST_MAILDIR";
const TRANSACTION: &str = "GATEPOST_TEST_TRANSACTION";
const HALFWAY: &str = "halfway";
const SIZE: usize = 1 << 20;

/// A body that never gets beyond its half.
#[derive(Debug)]
struct Endless(Bytes);

impl Body for Endless {
    fn len(&self) -> u64 {
        Body::len(&self.0)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        if offset >= Body::len(&self.0) / 2 {
            println!("{HALFWAY}");
            loop {
                std::thread::park();
            }
        }
        self.0.read_at(offset, buf)
    }
}

fn body() -> Bytes {
    Bytes::from(vec![b'x'; SIZE])
}

#[test]
fn a_message_half_written_is_delivered_whole_by_the_next_try() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return be_killed(&PathBuf::from(folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mail = Mail::new(&["one@desk.example"], Arc::new(body()));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("crash::a_message_half_written_is_delivered_whole_by_the_next_try")
        .env(FOLDER, folder.path())
        .env(TRANSACTION, mail.transaction.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let halfway = output
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains(HALFWAY));
    assert!(halfway, "the process did not get half way");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(files(folder.path(), "new").is_empty());
    assert_eq!(files(folder.path(), "tmp").len(), 1);

    assert_eq!(deliver(folder.path(), &mail)[0].reply.code(), 250);
    let new = files(folder.path(), "new");
    assert_eq!(new.len(), 1);
    assert!(new[0].1.ends_with(str::from_utf8(&body()).unwrap()));
    assert!(files(folder.path(), "tmp").is_empty());
}

fn be_killed(folder: &Path) {
    let mut mail = Mail::new(&["one@desk.example"], Arc::new(Endless(body())));
    let transaction = std::env::var(TRANSACTION).unwrap();
    mail.transaction = transaction.parse::<TransactionId>().unwrap();
    deliver(folder, &mail);
}
