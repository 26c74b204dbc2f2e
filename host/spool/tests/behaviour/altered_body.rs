//! A body in which an octet was altered while the relay was stopped is reported as damaged to its
//! readers.

use crate::common;

use std::{fs, io::Write as _, os::unix::fs::FileExt as _};

use common::*;
use gatepost_files::Level;
use gatepost_message::{BodyDamage, TransactionId};
use gatepost_spool::*;
use proptest::{prelude::*, test_runner::RngSeed};
use rusqlite::Connection;

/// Makes and closes a store with a message whose body has `length` octets.
fn closed(length: usize) -> (tempfile::TempDir, TransactionId) {
    let directory = tempfile::tempdir().unwrap();
    let spool = open(directory.path());
    let id = TransactionId::new();
    let new = message(id, &["bob@a.example"]);
    let mut staging = stage(&spool, id);
    staging.write_all(&new.head).unwrap();
    staging.write_all(&vec![b'x'; length]).unwrap();
    let staged = staging.finish().unwrap();
    accept(
        &spool,
        NewMessage {
            head: staged.head,
            body: staged.body,
            ..new
        },
    );
    drop(spool);
    (directory, id)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        rng_seed: RngSeed::Fixed(20_261_128),
        ..ProptestConfig::default()
    })]

    #[test]
    fn reading_an_altered_body_reports_damage(
        in_file: bool,
        at in 0..2000_usize,
        bit in 0..8_u8,
        alter: bool,
    ) {
        let (directory, id) = closed(if in_file { INLINE_LIMIT + 2000 } else { 2000 });
        let incoming = directory.path().join("incoming").join(id.to_string());
        let mut octet = b'x';
        if alter {
            octet ^= 1 << bit;
        }
        if in_file {
            let file = fs::File::options().write(true).open(&incoming).unwrap();
            file.write_all_at(&[octet], 18 + at as u64).unwrap();
        } else {
            let database = Connection::open(directory.path().join("spool.db")).unwrap();
            let mut body = vec![b'x'; 2000];
            body[at] = octet;
            database.execute("UPDATE contents SET body = ?1", [body]).unwrap();
        }
        let findings = inspect(directory.path(), false);
        prop_assert_eq!(findings.iter().any(|it| it.level == Level::Error), alter);
        let spool = open(directory.path());
        let claim = claim_one(&spool, START);
        match claim.message.to_bytes() {
            Ok(octets) => prop_assert!(!alter && octets.ends_with(b"xxx")),
            Err(error) => prop_assert!(alter && BodyDamage::is_cause_of(&error), "{error}"),
        }
        let reply = reply(451, "4.3.0", "damaged");
        let held = AttemptOutcome::Held { reply: reply.clone() };
        wait(spool.record(report(&claim, &held))).unwrap();
        let queue = list(&spool);
        prop_assert_eq!(&queue[0].recipients[0].state, &RecipientState::Held);
        prop_assert_eq!(&queue[0].recipients[0].last_reply, &Some(reply));
    }
}

#[test]
fn an_altered_header_section_is_held() {
    let (directory, id) = closed(2000);
    let database = Connection::open(directory.path().join("spool.db")).unwrap();
    let altered = b"Subject: hallo\r\n\r\n".as_slice();
    database
        .execute("UPDATE contents SET head = ?1", [altered])
        .unwrap();
    drop(database);
    let findings = inspect(directory.path(), false);
    let errors: Vec<_> = findings
        .iter()
        .filter(|it| it.level == Level::Error)
        .collect();
    assert!(
        matches!(errors[..], [it] if it.found.contains(&format!("header section of message {id}"))),
        "{errors:?}"
    );
    let spool = open(directory.path());
    assert!(claim(&spool, START).is_empty());
    let queue = list(&spool);
    let to = &queue[0].recipients[0];
    assert_eq!(to.state, RecipientState::Held);
    let said = to.last_reply.as_ref().unwrap().to_string();
    assert!(said.contains("damaged"), "{said}");
}
