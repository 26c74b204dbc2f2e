//! A store in a directory that is removed after the test, and messages for it.

#![allow(dead_code, reason = "each test file uses what it needs")]

use std::{future::Future, path::Path, time::Duration};

use bytes::Bytes;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Flow, Session, Transaction};
use gatepost_smtp::{Reply, dsn};
use gatepost_spool::*;

/// Start time of the tests.
pub const START: Millis = Millis(1_700_000_000_000);
/// Lease longer than any attempt of a test.
pub const LEASE: Duration = Duration::from_secs(600);

pub fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

pub fn settings(directory: &Path) -> SpoolSettings {
    SpoolSettings {
        min_free_bytes: 0,
        ..SpoolSettings::new(directory)
    }
}

pub fn open(directory: &Path) -> SqliteSpool {
    SqliteSpool::open(settings(directory)).unwrap()
}

/// Waits for a ticket; needs no runtime.
pub fn wait<T>(ticket: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(ticket)
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub fn reply(code: u16, enhanced: &'static str, text: &str) -> Reply {
    Reply::new(code, enhanced, text)
}

pub fn transaction(id: TransactionId, recipients: &[&str]) -> Transaction {
    Transaction {
        id,
        time: START,
        session: Session {
            listener: "mx".into(),
            flow: Flow::Inbound,
            client: "192.0.2.1:4711".parse().unwrap(),
            helo: Some("client.example".into()),
            tls: None,
            user: None,
        },
        account: Some("acme".into()),
        reverse_path: ReversePath::parse("alice@sender.example").unwrap(),
        recipients: recipients.iter().map(|to| address(to)).collect(),
    }
}

/// Makes a small message, due at [`START`].
pub fn message(id: TransactionId, recipients: &[&str]) -> NewMessage {
    NewMessage {
        transaction: transaction(id, recipients),
        recipients: recipients.iter().map(|to| queued(to)).collect(),
        smtputf8: false,
        dsn: dsn::MessageRequest::default(),
        sender: SenderProof::Unproved,
        head: Bytes::from_static(b"Subject: hello\r\n\r\n"),
        body: NewBody::Inline(Bytes::from_static(b"Hello.\r\n")),
        tags: vec!["first".into(), "second".into()],
        classification: None,
        judgements: Vec::new(),
        effects: Vec::new(),
        quarantine: None,
        received_at: START,
        expires_at: START + minutes(5 * 24 * 60),
    }
}

pub fn queued(to: &str) -> NewRecipient {
    NewRecipient {
        address: address(to),
        dsn: dsn::RecipientRequest::default(),
        state: InitialState::Queued {
            next_attempt: START,
        },
    }
}

pub fn accept(spool: &SqliteSpool, message: NewMessage) -> TransactionId {
    let id = message.transaction.id;
    wait(spool.accept(message)).unwrap();
    id
}

/// Begins the octets of a message.
pub fn stage(spool: &SqliteSpool, id: TransactionId) -> Staging {
    Staging::begin(spool.bodies(), id).unwrap()
}

pub fn claim(spool: &SqliteSpool, now: Millis) -> Vec<Claim> {
    wait(spool.claim(Owner::new(), now, 100, LEASE)).unwrap()
}

/// Claims the one message that is due.
pub fn claim_one(spool: &SqliteSpool, now: Millis) -> Claim {
    let mut claims = claim(spool, now);
    assert_eq!(claims.len(), 1, "{claims:?}");
    claims.remove(0)
}

pub fn delivered() -> AttemptOutcome {
    AttemptOutcome::Delivered {
        reply: reply(250, "2.0.0", "taken"),
        server: "mx.example:25".into(),
    }
}

pub fn failed() -> AttemptOutcome {
    AttemptOutcome::Failed {
        reply: reply(550, "5.1.1", "nobody here"),
        server: Some("mx.example:25".into()),
    }
}

pub fn deferred(next_attempt: Millis) -> AttemptOutcome {
    AttemptOutcome::Deferred {
        reply: reply(451, "4.3.0", "later"),
        server: Some("mx.example:25".into()),
        next_attempt,
        delay_told: false,
    }
}

/// Reports the same outcome for all recipients of a claim.
pub fn report(claim: &Claim, outcome: &AttemptOutcome) -> Report {
    Report {
        lease: claim.lease,
        message: claim.transaction.id,
        results: claim
            .recipients
            .iter()
            .map(|recipient| RecipientResult {
                number: recipient.number,
                outcome: outcome.clone(),
            })
            .collect(),
        notices: Vec::new(),
    }
}

pub fn list(spool: &SqliteSpool) -> Vec<Summary> {
    wait(spool.list(Filter::default())).unwrap()
}

pub fn states(spool: &SqliteSpool, id: TransactionId) -> Vec<Status> {
    let record = wait(spool.show(id)).unwrap();
    record
        .expect("the message is in the queue")
        .summary
        .recipients
        .iter()
        .map(|recipient| recipient.state.status())
        .collect()
}

pub fn octets(message: &Message) -> Bytes {
    message.to_bytes().unwrap()
}

/// Returns the names of the files in `incoming/`.
pub fn bodies(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory.join("incoming")).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}
