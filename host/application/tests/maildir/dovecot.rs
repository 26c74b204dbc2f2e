//! Dovecot finds the messages of a Maildir that the relay has filled, whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;

use crate::deliver;
use crate::support::Mail;

#[test]
fn dovecot_reads_what_was_delivered() {
    let Some(doveadm) = test_support::debian("dovecot-core", "doveadm") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk");
    let body = Bytes::from_static(b"a body\r\n.with a dot\r\n");
    deliver(
        &path,
        &Mail::new(&["one@desk.example", "two@desk.example"], Arc::new(body)),
    );
    let owner = readable_by_dovecot(&path);
    let configuration = folder.path().join("dovecot.conf");
    let text = format!(
        "log_path = /dev/stderr\nssl = no\nmail_location = maildir:{}\n\
         mail_uid = {}\nmail_gid = {}\nfirst_valid_uid = 0\nfirst_valid_gid = 0\n",
        path.display(),
        owner.0,
        owner.1
    );
    fs::write(&configuration, text).unwrap();
    let fetched = Command::new(doveadm)
        .arg("-c")
        .arg(&configuration)
        .args([
            "fetch",
            "hdr.return-path hdr.delivered-to body",
            "mailbox",
            "INBOX",
        ])
        .env("HOME", folder.path())
        .env("USER", "desk")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&fetched.stdout).replace('\r', "");
    assert!(
        fetched.status.success(),
        "{}",
        String::from_utf8_lossy(&fetched.stderr)
    );
    for line in [
        "hdr.return-path: <ann@a.example>",
        "hdr.delivered-to: one@desk.example",
        "hdr.delivered-to: two@desk.example",
        "a body\n.with a dot",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

/// Returns the owner of a Maildir. Dovecot reads none of root's: those are given to `nobody`.
fn readable_by_dovecot(maildir: &Path) -> (u32, u32) {
    let owner = fs::metadata(maildir).unwrap();
    if owner.uid() != 0 {
        return (owner.uid(), owner.gid());
    }
    let nobody = 65534;
    let parent = maildir.parent().unwrap();
    fs::set_permissions(parent, Permissions::from_mode(0o755)).unwrap();
    let parts = ["tmp", "new", "cur"].map(|part| maildir.join(part));
    let files = parts
        .iter()
        .flat_map(|part| fs::read_dir(part).unwrap().flatten());
    let files: Vec<_> = files.map(|file| file.path()).collect();
    for path in [maildir.to_owned()].iter().chain(&parts).chain(&files) {
        chown(path, Some(nobody), Some(nobody)).unwrap();
    }
    (nobody, nobody)
}
