//! Delivery with a real spool, a router made of a closure, and an observer that reports to the
//! test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatepost_delivery::{
    Action, Attempt, Callers, Decided, Deciding, Delivery, Drained, Handle, Led, Limits,
    NoticeMade, Observer, Observing, Router, ServerTarget, Settings, Target, Unsigned, Ways,
};
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{
    Decision, Destination, Flow, Judgement, NextHop, Plan, Routing, Session, Step, Transaction,
    Transport, Verdict, Way,
};
use gatepost_smtp::{Reply, dsn};
use gatepost_spool::{
    AttemptOutcome, Claim, ClaimedRecipient, Filter, InitialState, Ledger, MemorySpool, NewBody,
    NewMessage, NewRecipient, Owner, Queue, QueueAdmin, SenderProof, SpoolSettings, SqliteSpool,
    Staging, Summary,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::PATIENCE;

/// Time to live of a message.
const LIFE: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// Call of the observer.
#[derive(Debug, Clone)]
pub enum ObserverCall {
    Ended {
        id: TransactionId,
        recipient: String,
        outcome: AttemptOutcome,
        tls: Option<String>,
        /// Policies that were asked for the route.
        policies: Vec<String>,
    },
    Noticed {
        action: Action,
        recipients: Vec<String>,
        to: String,
    },
}

impl ObserverCall {
    /// Returns the recipient, its outcome in a word, and the reply.
    pub fn ended(self) -> (String, &'static str, Reply) {
        let Self::Ended {
            recipient, outcome, ..
        } = self
        else {
            panic!("not the end of an attempt: {self:?}");
        };
        match outcome {
            AttemptOutcome::Delivered { reply, .. } => (recipient, "delivered", reply),
            AttemptOutcome::Deferred { reply, .. } => (recipient, "deferred", reply),
            AttemptOutcome::Failed { reply, .. } => (recipient, "failed", reply),
            AttemptOutcome::Held { reply } => (recipient, "held", reply),
            AttemptOutcome::Discarded { .. } => panic!("nothing is discarded"),
            AttemptOutcome::Returned { .. } => panic!("returned is not an outcome"),
        }
    }
}

struct Recorder(mpsc::UnboundedSender<ObserverCall>);

impl Observer for Recorder {
    fn attempt_ended<'a>(&'a self, attempt: &'a Attempt<'a>) -> Observing<'a> {
        let _ = self.0.send(ObserverCall::Ended {
            id: attempt.message.transaction.id,
            recipient: attempt.recipient.address.to_string(),
            outcome: attempt.outcome.clone(),
            tls: attempt.tls.map(ToOwned::to_owned),
            policies: attempt
                .judgements
                .iter()
                .map(|judgement| judgement.policy.clone())
                .collect(),
        });
        Box::pin(async {})
    }

    fn notice_made<'a>(&'a self, notice: &'a NoticeMade<'a>) -> Observing<'a> {
        let recipients = notice.recipients.iter();
        let _ = self.0.send(ObserverCall::Noticed {
            action: notice.action,
            recipients: recipients.map(|one| one.address.to_string()).collect(),
            to: notice.to.to_string(),
        });
        Box::pin(async {})
    }
}

struct Routes<F>(F);

impl<F: Fn(&Claim, &ClaimedRecipient) -> Routing + Send + Sync + 'static> Router for Routes<F> {
    fn route<'a>(&'a self, message: &'a Claim, recipient: &'a ClaimedRecipient) -> Deciding<'a> {
        Box::pin(async {
            Decided {
                routing: (self.0)(message, recipient),
                judgements: vec![Judgement {
                    policy: "closure".to_owned(),
                    digest: String::new(),
                    hook: "route".to_owned(),
                    verdict: Verdict::Pass,
                    routing: None,
                    decision: Decision::default(),
                    micros: 1,
                    error: None,
                }],
            }
        })
    }
}

/// Ways of which only servers are known.
struct Servers {
    /// Server of what no policy routes.
    default: Option<NextHop>,
    /// Limits of each server.
    limits: Limits,
}

impl Ways for Servers {
    fn default_plan(&self, _: &Claim, _: &ClaimedRecipient) -> Result<Plan, Reply> {
        let hop = self.default.clone();
        let hop = hop.ok_or_else(|| Reply::new(451, "4.4.4", "no route"))?;
        Ok(hop.into())
    }

    fn destination(&self, _: &Claim, _: &ClaimedRecipient, step: &Step) -> Result<Led, Reply> {
        match &step.way {
            Way::NextHop(hop) => Ok(Led::from(Destination::NextHop {
                hop: hop.clone(),
                egress: None,
            })),
            other => Err(Reply::new(451, "4.3.5", format!("no way {other}"))),
        }
    }

    fn stamp(&self, _: &Claim, _: &ClaimedRecipient, _: &Destination) -> String {
        "one".to_owned()
    }

    fn target(
        &self,
        _: &Claim,
        destination: &Destination,
        _: Option<&Address>,
    ) -> Result<Target, Reply> {
        let Destination::NextHop { hop, .. } = destination else {
            panic!("no server: {destination}");
        };
        Ok(Target::Server(ServerTarget {
            limits: self.limits,
            ..ServerTarget::from(hop.clone())
        }))
    }
}

pub fn route_all_to(hop: NextHop) -> impl Fn(&Claim, &ClaimedRecipient) -> Routing {
    move |_, _| Routing::Deliver(hop.clone().into())
}

pub struct Relay {
    pub spool: Arc<SqliteSpool>,
    handle: Handle,
    settings: Settings,
    calls: mpsc::UnboundedReceiver<ObserverCall>,
    /// Milliseconds by which delivery's clock is ahead.
    ahead: Arc<AtomicU64>,
    _directory: TempDir,
}

impl Relay {
    /// Starts delivery with that router and, after `change`, those settings. The waits of the
    /// schedule are those of production: only [`Relay::pass`] brings a second attempt about.
    pub fn start(
        router: impl Fn(&Claim, &ClaimedRecipient) -> Routing + Send + Sync + 'static,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::start_with(router, None, Limits::default(), change)
    }

    /// Starts delivery with a default route, and with limits of each server.
    pub fn start_with(
        router: impl Fn(&Claim, &ClaimedRecipient) -> Routing + Send + Sync + 'static,
        default: Option<NextHop>,
        limits: Limits,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let ways = Servers { default, limits };
        let directory = tempfile::tempdir().unwrap();
        let mut spool_settings = SpoolSettings::new(directory.path());
        spool_settings.min_free_bytes = 0;
        let spool = Arc::new(SqliteSpool::open(spool_settings).unwrap());
        let (call, calls) = mpsc::unbounded_channel();
        let ahead = Arc::new(AtomicU64::new(0));
        let mut settings = Settings::new("relay.example");
        settings.retry.jitter = 0.0;
        let clock = Arc::clone(&ahead);
        settings.clock =
            Arc::new(move || Millis::now() + Duration::from_millis(clock.load(Ordering::Relaxed)));
        change(&mut settings);
        let handle = Delivery::start(
            Arc::clone(&spool) as Arc<dyn Queue>,
            Callers {
                router: Arc::new(Routes(router)),
                ways: Arc::new(ways),
                signing: Arc::new(Unsigned),
                observer: Arc::new(Recorder(call)),
            },
            Owner::new(),
            settings.clone(),
        )
        .unwrap();
        Self {
            spool,
            handle,
            settings,
            calls,
            ahead,
            _directory: directory,
        }
    }

    /// Activates other settings.
    pub fn reload(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        let prepared = self.handle.prepare(self.settings.clone()).unwrap();
        self.handle.activate(prepared);
    }

    pub fn now(&self) -> Millis {
        Millis::now() + Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }

    /// Lets that much time pass on delivery's clock.
    pub fn pass(&self, time: Duration) {
        self.ahead
            .fetch_add(time.as_millis() as u64, Ordering::Relaxed);
        self.spool.changed().notify_one();
    }

    /// Puts a message into the spool; it lives five days.
    pub async fn accept(&self, from: &str, to: &[&str], raw: &[u8]) -> TransactionId {
        self.accept_with(from, to, raw, |_| {}).await
    }

    /// Puts a message into the spool after a change to it.
    pub async fn accept_with(
        &self,
        from: &str,
        to: &[&str],
        raw: &[u8],
        change: impl FnOnce(&mut NewMessage),
    ) -> TransactionId {
        let mut message = new_message(from, to, raw);
        let id = message.transaction.id;
        let mut staging = Staging::begin(self.spool.bodies(), id).unwrap();
        std::io::Write::write_all(&mut staging, raw).unwrap();
        let staged = tokio::task::spawn_blocking(|| staging.finish())
            .await
            .unwrap()
            .unwrap();
        let now = self.now();
        message.transaction.time = now;
        message.head = staged.head;
        message.body = staged.body;
        message.received_at = now;
        message.expires_at = now + LIFE;
        for recipient in &mut message.recipients {
            recipient.state = InitialState::Queued { next_attempt: now };
        }
        change(&mut message);
        self.spool.accept(message).await.unwrap();
        id
    }

    /// Returns the path of a message's body, if it is not in the database.
    pub fn body(&self, id: TransactionId) -> PathBuf {
        self._directory.path().join("incoming").join(id.to_string())
    }

    /// Waits for the next call of the observer.
    pub async fn next_call(&mut self) -> ObserverCall {
        timeout(PATIENCE, self.calls.recv())
            .await
            .expect("nothing happened")
            .unwrap()
    }

    /// Waits for the next notice; returns its action and its recipients.
    pub async fn noticed(&mut self) -> (Action, Vec<String>) {
        match self.next_call().await {
            ObserverCall::Noticed {
                action, recipients, ..
            } => (action, recipients),
            other => panic!("no notice: {other:?}"),
        }
    }

    /// Waits for so many ends of attempts, and sorts them by recipient.
    pub async fn ended(&mut self, count: usize) -> Vec<(String, &'static str, Reply)> {
        let mut ended = Vec::new();
        for _ in 0..count {
            ended.push(self.next_call().await.ended());
        }
        ended.sort_by(|a, b| a.0.cmp(&b.0));
        ended
    }

    /// Accepts so many messages, each with its number as subject, and waits until all are
    /// delivered.
    pub async fn delivers_numbered(&mut self, count: usize) {
        for number in 0..count {
            let message = super::message(&number.to_string());
            self.accept("alice@a.example", &["bob@b.example"], &message)
                .await;
        }
        let ended = self.ended(count).await;
        assert!(
            ended.iter().all(|ended| ended.1 == "delivered"),
            "{ended:?}"
        );
    }

    pub async fn queue(&self) -> Vec<Summary> {
        self.spool.list(Filter::default()).await.unwrap()
    }

    /// Stops delivery, with that much time for running attempts.
    pub async fn drain(self, within: Duration) -> (Drained, Arc<SqliteSpool>, TempDir) {
        let drained = timeout(PATIENCE, self.handle.drain(within))
            .await
            .expect("drain hangs");
        (drained, self.spool, self._directory)
    }
}

/// Makes a submitted message, received now, with its body inline; it lives five days.
pub fn new_message(from: &str, to: &[&str], raw: &[u8]) -> NewMessage {
    let now = Millis::now();
    let message = Message::from_bytes(raw.to_vec().into());
    let recipients: Vec<Address> = to.iter().map(|to| to.parse().unwrap()).collect();
    NewMessage {
        transaction: Transaction {
            id: TransactionId::new(),
            time: now,
            session: Session {
                listener: "submission".to_owned(),
                flow: Flow::Submission,
                transport: Transport::Smtp,
                client: Some(SocketAddr::from(([192, 0, 2, 1], 12345))),
                helo: Some("client.example".to_owned()),
                tls: None,
                user: Some("application".to_owned()),
            },
            account: Some("account".to_owned()),
            reverse_path: ReversePath::parse(from).unwrap(),
            recipients: recipients.clone(),
        },
        recipients: recipients
            .into_iter()
            .map(|address| NewRecipient {
                address,
                dsn: dsn::RecipientRequest::default(),
                state: InitialState::Queued { next_attempt: now },
            })
            .collect(),
        smtputf8: false,
        dsn: dsn::MessageRequest::default(),
        sender: SenderProof::Authenticated,
        body: NewBody::Inline(raw[message.head().len()..].to_vec().into()),
        head: message.head().clone(),
        tags: Vec::new(),
        classification: None,
        judgements: Vec::new(),
        effects: Vec::new(),
        metadata: None,
        ledger: Ledger::default(),
        quarantine: None,
        received_at: now,
        expires_at: now + LIFE,
    }
}

/// Returns the error with which delivery refuses these settings.
pub fn start_error(settings: Settings) -> String {
    let (call, _calls) = mpsc::unbounded_channel();
    let started = Delivery::start(
        Arc::new(MemorySpool::default()),
        Callers {
            router: Arc::new(Routes(|_: &Claim, _: &ClaimedRecipient| Routing::Pass)),
            ways: Arc::new(Servers {
                default: None,
                limits: Limits::default(),
            }),
            signing: Arc::new(Unsigned),
            observer: Arc::new(Recorder(call)),
        },
        Owner::new(),
        settings,
    );
    started.expect_err("it started").to_string()
}
