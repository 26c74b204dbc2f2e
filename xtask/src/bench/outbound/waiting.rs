//! Mail that waits in a queue before anything of it leaves.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use gatepost_model::{Flow, Session, Transaction, Transport};
use gatepost_smtp::dsn;
use gatepost_spool::{
    InitialState, Ledger, NewBody, NewMessage, NewRecipient, Queue as _, SenderProof,
    SpoolSettings, SqliteSpool,
};
use tokio::runtime;

use crate::bench::load::{EnvelopedMessage, message, offer};

/// Octets of a message.
const SIZE: usize = 10 << 10;

/// Messages that are written to the store together.
const BATCH: u64 = 500;

/// Sessions in which Postfix gets its messages.
const SESSIONS: u64 = 20;

/// Messages that wait.
#[derive(Debug, Clone, Copy)]
pub struct WaitingMail {
    /// Number of them.
    pub messages: u64,
    /// Recipients' domains, in turns.
    pub to: Domains,
    /// Account whose mail it is.
    pub account: &'static str,
    /// Octets of each.
    pub size: usize,
}

/// Recipients' domains.
#[derive(Debug, Clone, Copy)]
pub enum Domains {
    /// `d0.example` and so on, that many.
    Numbered(u64),
    /// A domain whose server does not answer.
    Dead,
}

impl Domains {
    /// Returns the recipient of a message.
    fn recipient(self, number: u64) -> String {
        match self {
            Self::Numbered(domains) => format!("help@{}", domain(number % domains)),
            Self::Dead => format!("help@{DEAD}"),
        }
    }
}

/// The domain whose server does not answer.
pub const DEAD: &str = "dead.example";

/// Returns a numbered domain.
pub fn domain(number: u64) -> String {
    format!("d{number}.example")
}

impl WaitingMail {
    /// Makes messages of account `acme`.
    pub fn new(messages: u64, to: Domains) -> Self {
        Self {
            messages,
            to,
            account: "acme",
            size: SIZE,
        }
    }

    /// Writes the messages into the store of a Gatepost that does not run, as its submission
    /// listener would have accepted them.
    ///
    /// # Errors
    /// The store cannot be opened or written.
    pub fn into_store(self, store: &Path) -> Result<()> {
        fs::create_dir_all(store)?;
        let spool = SqliteSpool::open(SpoolSettings::new(store))?;
        let runtime = runtime::Builder::new_current_thread().build()?;
        let text = message("", self.size);
        let text = text.strip_suffix(b".\r\n").unwrap_or(&text);
        let end = text.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, body) = text.split_at(end.context("no header section")? + 4);
        let now = Millis::now();
        for begun in (0..self.messages).step_by(BATCH as usize) {
            let batch = begun..(begun + BATCH).min(self.messages);
            let tickets = batch.map(|number| {
                let waiting = self.stored(number, now, head, body)?;
                anyhow::Ok(spool.accept(waiting))
            });
            for ticket in tickets.collect::<Result<Vec<_>>>()? {
                runtime.block_on(ticket)?;
            }
        }
        Ok(())
    }

    fn stored(self, number: u64, now: Millis, head: &[u8], body: &[u8]) -> Result<NewMessage> {
        let from = ReversePath::parse("ann@sender.example").context("no reverse-path")?;
        let address: Address = self.to.recipient(number).parse()?;
        Ok(NewMessage {
            transaction: Transaction {
                id: TransactionId::new(),
                time: now,
                session: Session {
                    listener: "submission".to_owned(),
                    flow: Flow::Submission,
                    transport: Transport::Smtp,
                    client: Some(SocketAddr::from(([127, 0, 0, 1], 4711))),
                    helo: Some("load.example".to_owned()),
                    tls: None,
                    user: Some("user".to_owned()),
                },
                account: Some(self.account.to_owned()),
                reverse_path: from,
                recipients: vec![address.clone()],
            },
            recipients: vec![NewRecipient {
                address,
                dsn: dsn::RecipientRequest::default(),
                state: InitialState::Queued { next_attempt: now },
            }],
            smtputf8: false,
            dsn: dsn::MessageRequest::default(),
            sender: SenderProof::Authenticated,
            head: head.to_vec().into(),
            body: NewBody::Inline(body.to_vec().into()),
            tags: Vec::new(),
            classification: None,
            judgements: Vec::new(),
            effects: Vec::new(),
            metadata: None,
            ledger: Ledger::default(),
            quarantine: None,
            received_at: now,
            expires_at: now + Duration::from_secs(5 * 24 * 3600),
        })
    }

    /// Sends the messages to a Postfix that has no queue manager.
    ///
    /// # Errors
    /// A connection fails.
    pub fn into_postfix(self, to: SocketAddr) -> Result<()> {
        let text = message("", self.size);
        let next = AtomicU64::new(0);
        let session = || {
            loop {
                let number = next.fetch_add(1, Ordering::AcqRel);
                if number >= self.messages {
                    return Ok(());
                }
                let mail = EnvelopedMessage {
                    from: "ann@sender.example".to_owned(),
                    to: vec![self.to.recipient(number)],
                    message: text.clone(),
                };
                offer(to, &mail)?;
            }
        };
        thread::scope(|scope| {
            let sessions: Vec<_> = (0..SESSIONS).map(|_| scope.spawn(session)).collect();
            let mut ends = sessions.into_iter().map(|session| session.join());
            ends.try_for_each(|end| end.unwrap_or_else(|_| anyhow::bail!("a session panicked")))
        })
    }
}
