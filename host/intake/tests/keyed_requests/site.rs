//! A relay without sockets and policies, whose store is in memory, and a queue that can be stopped
//! within a commit.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatepost_config::{Config, RelayConnections};
use gatepost_connections::{ConnectionStates, NoStandings};
use gatepost_directory::{Directory, Limits, Settings};
use gatepost_intake::active_config::{ActiveConfig, ListenerKey, SharedConfig};
use gatepost_intake::authenticator::Authenticator;
use gatepost_intake::http_submission::{
    AcceptedMessage, HttpEnvelope, HttpProgram, SubmissionKey, SubmissionRefusal, submit,
};
use gatepost_intake::listener::Service;
use gatepost_intake::message_authentication::MessageAuthentication;
use gatepost_intake::pipeline::Pipeline;
use gatepost_message::{Millis, Separators, TransactionId};
use gatepost_model::DestinationKey;
use gatepost_observability::Spans;
use gatepost_policy::Chain;
use gatepost_probes::{self as probes, Probes};
use gatepost_smtp::server::{self, AuthOffer, StartTls};
use gatepost_spool::{
    Claim, Filter, Lease, MemorySettings, MemorySpool, NewMessage, Owner, Pace, Queue, Recorded,
    Report, Stores, Ticket,
};
use gatepost_trace::{Retention, Trace};
use gatepost_volume::VolumeGate;
use tokio::sync::{Notify, Semaphore};

const CONFIG: &str = r#"
    [relay]
    hostname = "mx.desk.example"
    [tls] # nobody speaks it here, but nobody may log in without
    certificate = "certificate.pem"
    key = "key.pem"
    [[account]]
    id = "acme"
    domains = ["desk.example"]
    [[listener]]
    name = "submission"
    address = "127.0.0.1:0"
    direction = "submission"
    tls = "required-starttls"
"#;

/// Queue that begins to accept a message only with a permit, and says that it was asked.
struct SlowQueue {
    queue: Arc<dyn Queue>,
    permits: Arc<Semaphore>,
    asked: Arc<Notify>,
}

impl Queue for SlowQueue {
    fn room(&self) -> Result<(), gatepost_spool::SpoolError> {
        self.queue.room()
    }

    fn accept(&self, message: NewMessage) -> Ticket<()> {
        let (queue, permits) = (Arc::clone(&self.queue), Arc::clone(&self.permits));
        let (done, is_done) = tokio::sync::oneshot::channel();
        // As in a store on the disk, it goes on though nobody waits for it.
        tokio::spawn(async move {
            permits.acquire().await.unwrap().forget();
            let _ = done.send(queue.accept(message).await);
        });
        self.asked.notify_one();
        Box::pin(async move { is_done.await.unwrap() })
    }

    fn attach(&self, owner: Owner, lease: Duration) {
        self.queue.attach(owner, lease);
    }

    fn claim(
        &self,
        owner: Owner,
        now: Millis,
        limit: usize,
        lease: Duration,
    ) -> Ticket<Vec<Claim>> {
        self.queue.claim(owner, now, limit, lease)
    }

    fn set_pace(&self, destination: &DestinationKey, pace: Pace) {
        self.queue.set_pace(destination, pace);
    }

    fn enter(
        &self,
        message: TransactionId,
        lease: Lease,
        numbers: &[u32],
        destination: &DestinationKey,
    ) -> bool {
        self.queue.enter(message, lease, numbers, destination)
    }

    fn set_aside(&self, claim: &Claim, report: Report) -> Result<(), Box<Report>> {
        self.queue.set_aside(claim, report)
    }

    fn record(&self, report: Report) -> Ticket<Recorded> {
        self.queue.record(report)
    }

    fn next_due(&self) -> Ticket<Option<Millis>> {
        self.queue.next_due()
    }

    fn changed(&self) -> Arc<Notify> {
        self.queue.changed()
    }
}

/// The relay.
pub struct Site {
    active: Arc<SharedConfig>,
    pub stores: Stores,
    /// Permits for commits; without one they wait.
    pub commits: Arc<Semaphore>,
    /// Told when the queue is asked to accept a message.
    pub asked: Arc<Notify>,
    _folder: tempfile::TempDir,
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse(CONFIG, Path::new("gatepost.toml"), Path::new("")).unwrap();
        let config = Arc::new(config);
        let directory = Arc::new(
            Directory::open(&Settings {
                path: folder.path().join("directory.db"),
                key_ring: folder.path().join("key-ring"),
                limits: Limits::default(),
                separators: Separators::default(),
            })
            .unwrap(),
        );
        let stores = Stores::from(MemorySpool::new(MemorySettings::default()));
        let (commits, asked) = (Arc::new(Semaphore::new(100)), Arc::new(Notify::new()));
        let authenticator = Authenticator::new(&config, &directory.view(), Arc::default());
        let authenticator = Arc::new(authenticator);
        let connections = RelayConnections::new(Arc::clone(&config.site), Arc::clone(&directory));
        let states = ConnectionStates::open(Box::new(NoStandings)).unwrap();
        let kept_in = probes::Stores {
            directory: Arc::clone(&directory),
            queue: Arc::clone(&stores.queue),
            admin: Arc::clone(&stores.admin),
            events: Arc::clone(&stores.events),
            connections: Arc::new(connections),
            states: Arc::new(states),
        };
        let trace = Trace::open(folder.path().join("trace.db"), Retention::FOR_EVER).unwrap();
        let listener = config.listeners[0].clone();
        let pipeline = Pipeline {
            directory,
            authenticator: Arc::clone(&authenticator),
            listener: listener.name.clone(),
            flow: listener.direction.flow(),
            chain: Chain::default(),
            memory: stores.counters.clone(),
            volume: VolumeGate::new(stores.counters.clone()),
            queue: Arc::new(SlowQueue {
                queue: Arc::clone(&stores.queue),
                permits: Arc::clone(&commits),
                asked: Arc::clone(&asked),
            }),
            incidents: Arc::default(),
            events: Arc::clone(&stores.events),
            suppressions: Arc::clone(&stores.suppressions),
            learnt: Arc::clone(&stores.learnt),
            answers: Arc::clone(&stores.answers),
            keys_in_hand: Arc::default(),
            bodies: Arc::clone(&stores.bodies),
            trace: Arc::new(trace),
            policy_record: None,
            spans: Spans::default(),
            writers: Pipeline::writers(),
            authentication: MessageAuthentication::new(&config).unwrap(),
            notifications: config.notices().unwrap(),
            probes: Arc::new(Probes::new(kept_in, config.verification.settings())),
            config: Arc::clone(&config),
        };
        let service = Service {
            listener: listener.clone(),
            settings: Arc::new(server::Settings {
                hostname: "mx.desk.example".to_owned(),
                limits: config.limits.session(config.repair),
                start_tls: StartTls::Required,
                auth: AuthOffer::Required,
            }),
            tls: None,
            pipeline: Arc::new(pipeline),
        };
        let key = ListenerKey::of(&listener);
        let active = ActiveConfig {
            config,
            authenticator,
            services: HashMap::from([(key, Arc::new(service))]),
        };
        Self {
            active: Arc::new(SharedConfig::from_pointee(active)),
            stores,
            commits,
            asked,
            _folder: folder,
        }
    }

    /// Hands a message in with the key `order 4711`, as a request with this hash.
    pub fn hand_in(
        &self,
        token: &str,
        hash: u8,
        message: &'static str,
    ) -> impl Future<Output = Result<AcceptedMessage, SubmissionRefusal>> + use<> {
        let envelope = HttpEnvelope {
            program: HttpProgram {
                account: "acme".to_owned(),
                token: token.to_owned(),
            },
            client: "192.0.2.1:4711".parse().unwrap(),
            reverse_path: "help@desk.example".parse().unwrap(),
            recipients: vec!["ann@sender.example".parse().unwrap()],
            not_before: None,
            expires: None,
            key: Some(SubmissionKey::new("order 4711", [hash; 32]).unwrap()),
            message_id: None,
            is_dry_run: false,
        };
        let active = Arc::clone(&self.active);
        async move { submit(&active, envelope, message.as_bytes()).await }
    }

    /// Returns the ids of the messages in the queue.
    pub async fn queued(&self) -> Vec<TransactionId> {
        let listed = self.stores.admin.list(Filter::default()).await.unwrap();
        listed.iter().map(|summary| summary.id).collect()
    }
}
