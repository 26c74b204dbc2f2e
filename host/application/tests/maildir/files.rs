use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Arc;

use bytes::Bytes;
use gatepost_application::{Alarm, MaildirSettings};
use gatepost_message::{Address, Body, Checksum, ReversePath};

use crate::support::Mail;
use crate::{deliver, files};

fn mail(to: &[&str]) -> Mail {
    Mail::new(to, Arc::new(Bytes::from_static(b"body\r\n")))
}

#[test]
fn each_recipient_gets_a_file_with_the_fields_of_a_final_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk");
    let mut mail = mail(&["one@desk.example", "two@desk.example"]);
    mail.to[1].1 = Some(Address::parse("alias@desk.example").unwrap());
    let outcomes = deliver(&path, &mail);
    assert!(
        outcomes.iter().all(|outcome| outcome.reply.code() == 250),
        "{outcomes:?}"
    );
    let mut texts: Vec<_> = files(&path, "new")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    texts.sort();
    let due = [
        "Return-Path: <ann@a.example>\r\nDelivered-To: one@desk.example\r\n\
         Subject: hello\r\n\r\nbody\r\n",
        "Return-Path: <ann@a.example>\r\nDelivered-To: two@desk.example\r\n\
         X-Original-To: alias@desk.example\r\nSubject: hello\r\n\r\nbody\r\n",
    ];
    assert_eq!(texts, due);
    assert!(files(&path, "tmp").is_empty() && files(&path, "cur").is_empty());
    for part in ["", "tmp", "new", "cur"] {
        let mode = fs::metadata(path.join(part)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{part}");
    }
}

#[test]
fn a_null_sender_has_an_empty_return_path() {
    let folder = tempfile::tempdir().unwrap();
    let mut mail = mail(&["one@desk.example"]);
    mail.from = ReversePath::Null;
    deliver(folder.path(), &mail);
    assert!(
        files(folder.path(), "new")[0]
            .1
            .starts_with("Return-Path: <>\r\n")
    );
}

#[test]
fn no_address_gets_into_the_name_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk");
    let mail = mail(&["\"../../x:2,S\"@desk.example"]);
    assert_eq!(deliver(&path, &mail)[0].reply.code(), 250);
    let (name, _) = files(&path, "new").remove(0);
    assert!(
        name.starts_with(&format!("1700000000.{}_", mail.transaction)),
        "{name}"
    );
    assert!(
        name.ends_with(".mx.desk.example") && !name.contains(['/', ':', '"']),
        "{name}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_second_try_replaces_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let mail = mail(&["one@desk.example"]);
    deliver(folder.path(), &mail);
    let first = files(folder.path(), "new");
    deliver(folder.path(), &mail);
    assert_eq!(files(folder.path(), "new"), first);
}

#[test]
fn a_link_in_the_way_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mail = mail(&["one@desk.example"]);
    deliver(folder.path(), &mail);
    let (name, text) = files(folder.path(), "new").remove(0);
    let outside = folder.path().join("outside");
    fs::write(&outside, "precious").unwrap();
    symlink(&outside, folder.path().join("tmp").join(&name)).unwrap();
    assert_eq!(deliver(folder.path(), &mail)[0].reply.code(), 250);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "precious");
    assert_eq!(files(folder.path(), "new"), [(name, text)]);
}

#[test]
fn mail_waits_while_the_folder_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let outcome = deliver(&file, &mail(&["one@desk.example"])).remove(0);
    assert_eq!(
        (outcome.reply.code(), outcome.alarm),
        (451, Some(Alarm::Unwritable))
    );
    let told = outcome.reply.text();
    assert!(!told.contains("file"), "{told}");
}

/// A body whose octets are not those that were stored.
#[derive(Debug)]
struct Damaged(Bytes);

impl Body for Damaged {
    fn len(&self) -> u64 {
        Body::len(&self.0)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buf)
    }

    fn checksum(&self) -> io::Result<Option<Checksum>> {
        Ok(Some(Checksum::new(1)))
    }
}

#[test]
fn a_damaged_message_is_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let body = Arc::new(Damaged(Bytes::from_static(b"body")));
    let outcome = deliver(folder.path(), &Mail::new(&["one@desk.example"], body)).remove(0);
    assert_eq!(
        (outcome.reply.code(), outcome.alarm),
        (451, Some(Alarm::Unreadable))
    );
    assert!(files(folder.path(), "new").is_empty() && files(folder.path(), "tmp").is_empty());
}

#[test]
fn a_maildir_has_a_path_and_nothing_else() {
    // The configuration reads a relative path from where its file stands.
    for right in ["path = '/var/mail/desk'", "path = 'desk'"] {
        assert!(toml::from_str::<MaildirSettings>(right).is_ok(), "{right}");
    }
    for wrong in ["", "path = '/x'\nmode = 0"] {
        assert!(toml::from_str::<MaildirSettings>(wrong).is_err(), "{wrong}");
    }
}
