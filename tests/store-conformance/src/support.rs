//! Messages for a store, and the shortest way to ask it.

use std::{future::Future, io::Write as _, sync::Arc, time::Duration};

use bytes::Bytes;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Destination, Flow, KeyedAnswer, Plan, Route, Session, Transaction, Way};
use gatepost_smtp::{Reply, dsn};
use gatepost_spool::{
    AttemptOutcome, BodyStore, Claim, Filter, InitialState, Ledger, NewBody, NewMessage,
    NewRecipient, Owner, Queue, QueueAdmin, RecipientResult, Report, SenderProof, Staged, Staging,
    Status, Summary,
};

/// Start time of the tests.
pub const START: Millis = Millis(1_700_000_000_000);
/// Lease longer than any attempt of a test.
pub const LEASE: Duration = Duration::from_secs(600);

/// Returns that many minutes.
pub fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// Waits for a ticket; needs no runtime.
pub fn wait<T>(ticket: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(ticket)
}

/// Reads an address.
pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Makes a reply.
pub fn reply(code: u16, enhanced: &'static str, text: &str) -> Reply {
    Reply::new(code, enhanced, text)
}

/// Makes a transaction of account `acme`.
pub fn transaction(id: TransactionId, recipients: &[&str]) -> Transaction {
    Transaction {
        id,
        time: START,
        session: Session {
            listener: "mx".into(),
            flow: Flow::Inbound,
            transport: gatepost_model::Transport::Smtp,
            client: "192.0.2.1:4711".parse().ok(),
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
        metadata: None,
        ledger: Ledger::default(),
        quarantine: None,
        received_at: START,
        expires_at: START + minutes(5 * 24 * 60),
    }
}

/// Makes a message that a program of account `acme` hands in under a key, answered at that time.
pub fn keyed(program: &str, key: &str, at: Millis) -> NewMessage {
    let id = TransactionId::new();
    let mut new = message(id, &["bob@b.example"]);
    new.transaction.session.flow = Flow::Submission;
    new.ledger.answers = vec![KeyedAnswer {
        account: "acme".into(),
        program: program.into(),
        key: key.into(),
        request: [7; 32],
        id,
        answer: r#"{"recipients":[["bob@b.example","delivered"]]}"#.into(),
        at,
    }];
    new
}

/// Makes a recipient that is due at [`START`].
pub fn queued(to: &str) -> NewRecipient {
    NewRecipient {
        address: address(to),
        dsn: dsn::RecipientRequest::default(),
        state: InitialState::Queued {
            next_attempt: START,
        },
    }
}

/// Accepts a message; returns its id.
pub fn accept(queue: &dyn Queue, message: NewMessage) -> TransactionId {
    let id = message.transaction.id;
    wait(queue.accept(message)).unwrap();
    id
}

/// Stages a message; hands its octets in by pieces of that length.
pub fn stage(bodies: &Arc<dyn BodyStore>, id: TransactionId, raw: &[u8], chunk: usize) -> Staged {
    let mut staging = Staging::begin(bodies, id).unwrap();
    for piece in raw.chunks(chunk) {
        staging.write_all(piece).unwrap();
    }
    assert_eq!(staging.len(), raw.len() as u64);
    staging.finish().unwrap()
}

/// Claims up to a hundred messages, each time as another owner.
pub fn claim(queue: &dyn Queue, now: Millis) -> Vec<Claim> {
    wait(queue.claim(Owner::new(), now, 100, LEASE)).unwrap()
}

/// Claims the one message that is due.
pub fn claim_one(queue: &dyn Queue, now: Millis) -> Claim {
    let mut claims = claim(queue, now);
    assert_eq!(claims.len(), 1, "{claims:?}");
    claims.remove(0)
}

/// Makes the outcome of a delivery.
pub fn delivered() -> AttemptOutcome {
    AttemptOutcome::Delivered {
        reply: reply(250, "2.0.0", "taken"),
        server: "mx.example:25".into(),
    }
}

/// Makes the outcome of a failure for good.
pub fn failed() -> AttemptOutcome {
    AttemptOutcome::Failed {
        reply: reply(550, "5.1.1", "nobody here"),
        server: Some("mx.example:25".into()),
    }
}

/// Makes the outcome of a failure for now.
pub fn deferred(next_attempt: Millis) -> AttemptOutcome {
    AttemptOutcome::Deferred {
        reply: reply(451, "4.3.0", "later"),
        server: Some("mx.example:25".into()),
        next_attempt,
        delay_told: false,
    }
}

/// Makes the outcome of a recipient that was not attempted.
pub fn returned(next_attempt: Millis) -> AttemptOutcome {
    AttemptOutcome::Returned {
        next_attempt,
        reply: None,
        server: None,
    }
}

/// Makes a route by MX to a domain.
pub fn route(domain: &str) -> Route {
    Route {
        plan: Plan::by(Way::Mx),
        step: 0,
        destination: Destination::Mx {
            domain: domain.into(),
            egress: None,
        },
        failures: 0,
        since: None,
        stamp: "1".into(),
        holds_until: None,
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
            .map(|recipient| RecipientResult::of(recipient.number, outcome.clone()))
            .collect(),
        notices: Vec::new(),
        keep_until: None,
    }
}

/// Lists the first hundred messages of the queue.
pub fn list(admin: &dyn QueueAdmin) -> Vec<Summary> {
    wait(admin.list(Filter::default())).unwrap()
}

/// Returns the states of the recipients of a message in the queue.
pub fn states(admin: &dyn QueueAdmin, id: TransactionId) -> Vec<Status> {
    let record = wait(admin.show(id)).unwrap();
    record
        .expect("the message is in the queue")
        .summary
        .recipients
        .iter()
        .map(|recipient| recipient.state.status())
        .collect()
}

/// Returns all octets of a message.
pub fn octets(message: &Message) -> Bytes {
    message.to_bytes().unwrap()
}
