//! A record is what was kept, for nobody without its key, and no larger or older than it may be.

// In a test, an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatepost_authentication::{Author, Facts};
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Decision, Flow, Judgement, Session, Transaction, Transport, Verdict};
use gatepost_policy::{Findings, Question, Recorder as _};
use gatepost_record::{
    ChainRecorder, PolicyRecord, RecordEntry, RecordReader, RecordSettings, RecordedEnd,
    RecordedEntry,
};
use ring::hmac;

fn key(octet: u8) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &[octet; 32])
}

fn transaction(account: &str) -> Transaction {
    let address = |text: &str| Address::parse(text).unwrap();
    Transaction {
        id: TransactionId::new(),
        time: Millis::now(),
        session: Session {
            listener: "mx".into(),
            flow: Flow::Inbound,
            transport: Transport::Smtp,
            client: "192.0.2.1:1025".parse().ok(),
            helo: Some("client.example".into()),
            tls: None,
            user: None,
        },
        account: Some(account.into()),
        reverse_path: ReversePath::Address(address("ann@sender.example")),
        recipients: vec![address("help@desk.example")],
    }
}

fn message(size: usize) -> Message {
    let body = "secret body".repeat(size / 11 + 1);
    Message::from_bytes(Bytes::from(format!(
        "Subject: secret subject\r\n\r\n{body}"
    )))
}

/// Notes a transaction whose message hook of one policy said `reject`.
fn recorded(transaction: Transaction, size: usize) -> RecordedEntry {
    let recorder = ChainRecorder::default();
    let message = message(size);
    let facts = Arc::new(Facts {
        authors: vec![Author {
            name: "Ann".into(),
            address: "ann@sender.example".into(),
        }],
        ..Facts::default()
    });
    recorder.asked(Question::Message {
        transaction: &transaction,
        message: &message,
        facts: Some(&facts),
        findings: &Findings::default(),
    });
    recorder.judged(&Judgement {
        policy: "p".into(),
        digest: "d".into(),
        hook: "message".into(),
        verdict: Verdict::Discard,
        routing: None,
        decision: Decision::default(),
        micros: 7,
        error: None,
    });
    let end = RecordedEnd {
        transaction,
        refused_by_relay: None,
        verdict: "discard",
        reply: None,
    };
    recorder.transaction(end).unwrap()
}

fn record(folder: &Path, settings: RecordSettings) -> Arc<PolicyRecord> {
    PolicyRecord::open(folder, key(1), Some(settings)).unwrap()
}

fn entries(folder: &Path, octet: u8) -> Vec<RecordedEntry> {
    let reader = RecordReader::since(folder, key(octet), Millis(0)).unwrap();
    let segments = reader.files().iter();
    let segments = segments.map(|file| reader.read(file).unwrap().unwrap());
    let entries = segments.flat_map(|segment| {
        let numbers = 0..segment.len();
        let entries = numbers.filter_map(|number| segment.entry(number));
        entries.map(|(entry, _)| entry).collect::<Vec<_>>()
    });
    entries.collect()
}

fn octets(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap();
    files
        .flat_map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn entries_come_back_as_they_were_kept() {
    let folder = tempfile::tempdir().unwrap();
    let bodies = RecordSettings {
        bodies: true,
        largest_body: 1_000,
        ..RecordSettings::default()
    };
    let record = record(folder.path(), bodies);
    let kept = [100, 5_000].map(|size| recorded(transaction("acme"), size));
    for entry in &kept {
        record.keep(entry.clone());
    }
    record.flush();
    let read = entries(folder.path(), 1);
    assert_eq!(read.len(), 2);
    for (read, kept) in read.iter().zip(&kept) {
        assert_eq!(read.entry, kept.entry);
        assert_eq!(read.judgements.read(), kept.judgements.read());
        let (read, kept) = (
            read.message.as_ref().unwrap(),
            kept.message.as_ref().unwrap(),
        );
        assert_eq!(read.head(), kept.head());
        assert_eq!(read.size(), kept.size());
    }
    let RecordEntry::Transaction(of) = &read[0].entry else {
        panic!("{read:?}");
    };
    let facts = of.message.as_ref().unwrap().facts.as_ref().unwrap().facts();
    assert_eq!(facts.authors[0].name, "Ann");
    assert!(of.message.as_ref().unwrap().calls[0].ended_chain);
    assert_eq!(
        read[0].message.as_ref().unwrap().to_bytes().unwrap(),
        message(100).to_bytes().unwrap()
    );
    // The larger body was left out.
    assert!(read[1].message.as_ref().unwrap().to_bytes().is_err());
}

#[test]
fn nobody_reads_it_without_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let record = record(folder.path(), RecordSettings::default());
    record.keep(recorded(transaction("acme"), 10));
    record.flush();
    let written = octets(folder.path());
    for secret in ["secret", "ann@", "acme", "discard"] {
        let has = written
            .windows(secret.len())
            .any(|octets| octets == secret.as_bytes());
        assert!(!has, "{secret}");
    }
    assert_eq!(entries(folder.path(), 2).len(), 0);
    assert_eq!(entries(folder.path(), 1).len(), 1);
}

#[test]
fn a_file_that_was_cut_short_loses_its_last_entry_alone() {
    let folder = tempfile::tempdir().unwrap();
    let record = record(folder.path(), RecordSettings::default());
    for _ in 0..3 {
        record.keep(recorded(transaction("acme"), 10));
    }
    record.flush();
    let file = fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(entries(folder.path(), 1).len(), 2);
}

#[test]
fn accounts_out_of_the_sample_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let settings = RecordSettings {
        rate: 0.0,
        accounts: [("acme".to_owned(), 1.0)].into(),
        ..RecordSettings::default()
    };
    let record = record(folder.path(), settings);
    for account in ["acme", "other"] {
        record.keep(recorded(transaction(account), 10));
    }
    record.set(None);
    record.keep(recorded(transaction("acme"), 10));
    record.flush();
    let read = entries(folder.path(), 1);
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].entry.transaction().account.as_deref(), Some("acme"));
}

#[test]
fn entries_are_removed_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let record = record(folder.path(), RecordSettings::default());
    let (mine, theirs) = (transaction("mine"), transaction("theirs"));
    record.keep(recorded(mine.clone(), 10));
    record.keep(recorded(theirs, 10));
    let of_theirs =
        |entry: &RecordedEntry| entry.entry.transaction().account.as_deref() == Some("theirs");
    assert_eq!(record.remove(Box::new(of_theirs)).unwrap(), 1);
    let read = entries(folder.path(), 1);
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].entry.id(), mine.id);
    // And what comes later is kept as before.
    record.keep(recorded(transaction("mine"), 10));
    record.flush();
    assert_eq!(entries(folder.path(), 1).len(), 2);
}

#[test]
fn the_oldest_files_go_beyond_the_size_and_the_age() {
    let folder = tempfile::tempdir().unwrap();
    let bodies = RecordSettings {
        bodies: true,
        largest_body: 20 << 20,
        size: 40 << 20,
        ..RecordSettings::default()
    };
    let record = record(folder.path(), bodies.clone());
    // Each is a file of its own.
    for _ in 0..4 {
        record.keep(recorded(transaction("acme"), 17 << 20));
        record.flush();
    }
    let kept = octets(folder.path()).len() as u64;
    assert!(kept <= 40 << 20, "{kept}");
    assert_eq!(entries(folder.path(), 1).len(), 2);

    record.set(Some(RecordSettings {
        age: Duration::ZERO,
        ..bodies
    }));
    record.keep(recorded(transaction("acme"), 17 << 20));
    record.flush();
    assert!(entries(folder.path(), 1).len() <= 1);
}
