//! The life of a relay: start, run, stop.
//!
//! Everything that can be wrong is found before the first connection is taken: the store opens, the
//! policies load, the sockets bind; then one line on standard output says that the relay is ready,
//! with the address of each listener:
//!
//! ```text
//! ready mx=0.0.0.0:25 submission=0.0.0.0:465 http=127.0.0.1:9090
//! ```
//!
//! SIGTERM (or SIGINT) drains: no new connections or transactions are taken, those in progress
//! finish, as do deliveries, and the process ends with success within the configured time, even if
//! something hangs (`signals`). A second signal cuts that short. SIGHUP and `gatepost reload` read
//! the configuration again and activate it (`reload`), all of it or nothing.
//!
//! The control socket opens first, so that an operator who asks during the start learns its
//! progress.

mod api_place;
mod connection_states;
pub(crate) mod reload;
mod service_manager;
mod signals;
mod sockets;
mod tester;
mod upkeep;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use gatepost_delivery::{Callers, Delivery, Drained, Notifications};
use gatepost_directory::Directory;
use gatepost_policy::Chain;
use gatepost_smtp::server::{AuthOffer, Settings, StartTls};
use gatepost_spool::{Owner, SpoolSettings, SqliteSpool, Stores};
use gatepost_trace::Trace;
use gatepost_volume::VolumeGate;
use gatepost_webhooks::Webhooks;
use miette::{Context as _, IntoDiagnostic as _};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, timeout_at};

use self::signals::{Limit, Signals};
use self::sockets::{HttpServers, Sockets};
use self::tester::{Authorizer, Tester};
use gatepost_acme::{AcmeKeeper, ChallengeKind, PreparedAcme};
use gatepost_administrators::Administrators;
use gatepost_api::ApiServer;
use gatepost_backup::BackupSource;
use gatepost_certificates::ServerTls;
use gatepost_config::exposure;
use gatepost_config::{self as config, Config, Direction, HttpTls, ListenerTls, RelayConnections};
use gatepost_connections::{ConnectionKey, ConnectionStates};
use gatepost_dkim_watch as dkim_watch;
use gatepost_feeds as feeds;
use gatepost_handover::HandoverServer;
use gatepost_intake::active_config::{ActiveConfig, ListenerKey, SharedConfig};
use gatepost_intake::authenticator::{AuthenticationAttempts, Authenticator};
use gatepost_intake::http_submission::KeysInHand;
use gatepost_intake::incidents::Incidents;
use gatepost_intake::listener::Service;
use gatepost_intake::message_authentication::MessageAuthentication;
use gatepost_intake::ownership;
use gatepost_intake::pipeline::Pipeline;
use gatepost_intake::session::Phase;
use gatepost_intake::suspension;
use gatepost_intake::tls;
use gatepost_observability::spans::Exporter;
use gatepost_observability::{Health, Metrics, Monitor, Spans};
use gatepost_operations::administrators::letter_settings;
use gatepost_operations::authorizations::Authorizations;
use gatepost_operations::backups::Backups;
use gatepost_operations::dkim::DkimTools;
use gatepost_operations::domains::DomainSettings;
use gatepost_operations::reload::PendingReload;
use gatepost_operations::restrictions::SiteVolume;
use gatepost_operations::{ControlSocket, Reopen, RequestHandler, SiteFacts};
use gatepost_policy_set::Policies;
use gatepost_policy_set::folder::{self, Watch};
use gatepost_policy_set::history::VersionHistory;
use gatepost_policy_set::loading;
use gatepost_probes::{self as probes, Probes};
use gatepost_record::{PolicyRecord, RecordSettings};
use gatepost_routing::{Outside, PolicyRouter, Records, Ways};

/// Upper bound of the share of the drain time that is kept for the work after sessions and
/// deliveries: replies to clients that are cut off, and the last records.
const LAST: Duration = Duration::from_secs(3);

/// Longest time for a collector to take the last spans when all else is done.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// Runs the relay until it is told to stop. `path` is the configuration file, for reloads.
///
/// # Errors
/// It cannot start.
pub async fn run(config: Config, path: &Path) -> miette::Result<ExitCode> {
    let mut signals = Signals::listen(config.relay.drain)
        .into_diagnostic()
        .wrap_err("cannot listen for signals")?;
    allow_open_files(&config);
    let (ask, mut asked) = mpsc::channel(1);
    let starting = RunningRelay::start(config, path, ask, signals.limit());
    let mut relay = tokio::select! {
        started = starting => started?,
        stop = signals.stop(1) => {
            tracing::info!(signal = stop.signal, "stopping during the start");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let stop = loop {
        let ask = tokio::select! {
            stop = signals.stop(1) => break stop,
            () = signals.reload() => None,
            Some(ask) = asked.recv() => Some(ask),
        };
        let dry_run = ask.as_ref().is_some_and(|ask| ask.asked.dry_run);
        let reloaded = tokio::select! {
            reloaded = relay.reload(dry_run) => reloaded,
            stop = signals.stop(1) => {
                tracing::warn!("reload aborted: the relay is stopping");
                break stop;
            }
        };
        if let Some(ask) = ask {
            // The operator may have gone; the log has the result.
            let _ = ask.answer.send(reloaded);
        }
    };
    tracing::info!(signal = stop.signal, "stopping");
    service_manager::tell("STOPPING=1");
    // Further requests for a reload are refused with the reason.
    drop(asked);
    tokio::select! {
        () = relay.drain(stop.at) => {}
        _ = signals.stop(2) => tracing::warn!("told to stop again: the drain is cut short"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Raises the process's limit of open files as far as the system allows: each connection is one,
/// and many systems allow a process no more than 1024 until it asks. Otherwise the connection
/// limits, and the reserved permits, would be fictitious.
fn allow_open_files(config: &Config) {
    /// Databases, files of messages, listening sockets, and other files.
    const OTHERS: usize = 200;
    let delivery = 2 * config.delivery.messages_in_flight;
    let wanted = (config.limits.connections + delivery + OTHERS) as u64;
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(allowed) if allowed >= wanted => {}
        Ok(allowed) => tracing::warn!(
            allowed,
            wanted,
            "the system allows too few open files (RLIMIT_NOFILE): connections may fail before the limits are reached"
        ),
        Err(error) => tracing::warn!(%error, "cannot ask for more open files (RLIMIT_NOFILE)"),
    }
}

/// Opens the record of what policies are asked.
fn open_policy_record(
    config: &Config,
    directory: &Directory,
) -> std::io::Result<Option<Arc<PolicyRecord>>> {
    let Some(key) = directory.view().record_key() else {
        return Ok(None);
    };
    let settings = config.record.as_ref().map(RecordSettings::from);
    let folder = config.relay.store.join(gatepost_record::FOLDER);
    PolicyRecord::open(&folder, key, settings).map(Some)
}

/// Opens the history of the policies' versions.
async fn open_history(config: &Config) -> miette::Result<VersionHistory> {
    let store = config.relay.store.clone();
    let opened = tokio::task::spawn_blocking(move || VersionHistory::open(&store)).await;
    let opened = opened.map_err(std::io::Error::other).flatten();
    (opened.into_diagnostic()).wrap_err("cannot open the history of the policies' versions")
}

/// A running relay.
struct RunningRelay {
    /// Configuration file.
    path: PathBuf,
    active: Arc<SharedConfig>,
    parts: SharedParts,
    policies: Arc<Policies>,
    metrics: Metrics,
    health: Arc<Health>,
    phase: watch::Sender<Phase>,
    sockets: Sockets,
    delivery: gatepost_delivery::Handle,
    /// Opens a destination for a probe.
    reopen: Reopen,
    exporter: Option<Exporter>,
    feeds: Arc<ArcSwap<feeds::Client>>,
    dkim: Arc<ArcSwap<DkimTools>>,
    backups: Arc<Backups>,
    domains: Arc<ArcSwapOption<DomainSettings>>,
    ways: Arc<Ways>,
    connections: Arc<RelayConnections>,
    states: Arc<ConnectionStates>,
    webhooks: Arc<Webhooks>,
    administrators: Arc<Administrators>,
    /// Facts of the active configuration that customers are told.
    facts: Arc<ArcSwapOption<SiteFacts>>,
    /// Keeper of the certificate that the relay orders itself.
    acme: Arc<AcmeKeeper>,
    /// Page of handovers.
    handover: HandoverServer,
    /// API for applications.
    api: ApiServer,
    /// Caps of the active configuration, for operators.
    site: Arc<ArcSwap<SiteVolume>>,
    /// Handler of operators' requests.
    handler: RequestHandler,
    /// Time limit of the drain.
    limit: Limit,
    /// Watched folder, if there is one.
    watch: Option<Watch>,
}

/// Parts that sessions share under every configuration.
struct SharedParts {
    stores: Stores,
    volume: Arc<VolumeGate>,
    trace: Arc<Trace>,
    policy_record: Option<Arc<PolicyRecord>>,
    directory: Arc<Directory>,
    spans: Spans,
    writers: Arc<Semaphore>,
    attempts: Arc<AuthenticationAttempts>,
    incidents: Arc<Incidents>,
    keys_in_hand: Arc<KeysInHand>,
    /// Authenticator of messages under the active configuration.
    authentication: MessageAuthentication,
    probes: Arc<Probes>,
}

impl SharedParts {
    /// Makes the active configuration of a relay.
    fn active_config(
        &self,
        config: &Arc<Config>,
        notifications: &Arc<Notifications>,
        tls: Option<&ServerTls>,
        chain: impl Fn(&str) -> Chain,
    ) -> ActiveConfig {
        let attempts = Arc::clone(&self.attempts);
        let authenticator = Arc::new(Authenticator::new(config, &self.directory.view(), attempts));
        let services = config.listeners.iter().map(|listener| {
            let pipeline = Arc::new(Pipeline {
                config: Arc::clone(config),
                directory: Arc::clone(&self.directory),
                authenticator: Arc::clone(&authenticator),
                listener: listener.name.clone(),
                flow: listener.direction.flow(),
                chain: chain(&listener.name),
                memory: self.stores.counters.clone(),
                volume: Arc::clone(&self.volume),
                incidents: Arc::clone(&self.incidents),
                events: Arc::clone(&self.stores.events),
                suppressions: Arc::clone(&self.stores.suppressions),
                learnt: Arc::clone(&self.stores.learnt),
                answers: Arc::clone(&self.stores.answers),
                keys_in_hand: Arc::clone(&self.keys_in_hand),
                queue: Arc::clone(&self.stores.queue),
                bodies: Arc::clone(&self.stores.bodies),
                trace: Arc::clone(&self.trace),
                policy_record: self.policy_record.clone(),
                spans: self.spans.clone(),
                writers: Arc::clone(&self.writers),
                authentication: self.authentication.clone(),
                notifications: Arc::clone(notifications),
                probes: Arc::clone(&self.probes),
            });
            let service = Service {
                listener: listener.clone(),
                settings: Arc::new(session_settings(config, listener)),
                tls: tls.filter(|_| listener.tls != ListenerTls::None).cloned(),
                pipeline,
            };
            (ListenerKey::of(listener), Arc::new(service))
        });
        ActiveConfig {
            config: Arc::clone(config),
            services: services.collect(),
            authenticator,
        }
    }
}

impl RunningRelay {
    async fn start(
        config: Config,
        path: &Path,
        ask: mpsc::Sender<PendingReload>,
        limit: Limit,
    ) -> miette::Result<Self> {
        let config = Arc::new(config);
        let handler = RequestHandler::starting("opening its store");
        // Operators are answered from here to the end; the socket goes with the process. Errors of
        // the store are reported better by the queue, which also finds another relay's socket.
        let answering = match ControlSocket::bind(&config.relay.store) {
            Ok(socket) => {
                tokio::spawn(socket.serve(handler.clone(), std::future::pending()));
                true
            }
            Err(_) => false,
        };
        let health = Arc::new(Health::default());
        let metrics = Metrics::start().into_diagnostic()?;
        let (spans, exporter) = match &config.otlp {
            Some(otlp) => {
                let (spans, exporter) =
                    Spans::start(otlp, config.relay.hostname.as_str()).into_diagnostic()?;
                (spans, Some(exporter))
            }
            None => (Spans::default(), None),
        };
        let (stores, trace, directory) = open_store(&config).await?;
        stores.events.set_recording(config.events.record);
        let policy_record = open_policy_record(&config, &directory).into_diagnostic()?;
        if !answering {
            // The store is this relay's now.
            let socket = ControlSocket::bind(&config.relay.store).into_diagnostic()?;
            tokio::spawn(socket.serve(handler.clone(), std::future::pending()));
        }
        // Only once the store and its files exist.
        for finding in exposure::of(&config, path) {
            tracing::warn!(
                path = finding.about,
                advice = finding.advice,
                "others than the relay and root have access: {}",
                finding.found
            );
        }
        ownership::reserve_configured_domains(&config, &directory);
        config.check_secrets()?;
        if let Err(errors) = config.check_egress()
            && let Some(error) = errors.into_iter().next()
        {
            return Err(error).into_diagnostic();
        }
        let watched = folder::prepare(&config).into_diagnostic()?;
        handler.step("loading its policies");
        let cache = config.relay.store.join("cache");
        let engine = loading::engine(Some(cache)).into_diagnostic()?;
        let history = open_history(&config).await?;
        let events = Some(Arc::clone(&stores.events));
        let told = handler.clone();
        let progress = move |step| told.step(step);
        let policies = Policies::load_with(engine, &config, history, events, &progress).await?;
        let policies = Arc::new(policies);
        tokio::spawn(Arc::clone(&policies).drive_rollouts());
        let notifications = (config.notices())
            .into_diagnostic()
            .wrap_err("the templates of notifications cannot be used")?;
        let notices = Arc::clone(&notifications);
        health.policies_loaded();
        handler.step("binding its addresses");

        let (phase, serving) = watch::channel(Phase::Serving);
        let acme = Arc::new(AcmeKeeper::new(&config.relay.store));
        let prepared = config.acme_settings.clone().map(PreparedAcme::new);
        let prepared = prepared.transpose().into_diagnostic()?;
        let tls = relay_tls(&config, &acme).into_diagnostic()?;
        let keeper = Arc::clone(&acme);
        let activated = tokio::task::spawn_blocking(move || keeper.activate(prepared));
        activated.await.into_diagnostic()?;
        tell_missing_certificate(&config, tls.as_ref());
        acme.server().set_tls(challenge_tls(&config, tls.as_ref()));
        let sockets = Sockets::default();
        let bound = sockets.bind(&config).into_diagnostic()?;
        let connections = Arc::new(RelayConnections::new(
            Arc::clone(&config.site),
            Arc::clone(&directory),
        ));
        let states = connection_states::open(&config).into_diagnostic()?;
        let kept_in = probes::Stores {
            directory: Arc::clone(&directory),
            queue: Arc::clone(&stores.queue),
            admin: Arc::clone(&stores.admin),
            events: Arc::clone(&stores.events),
            connections: connections.clone(),
            states: Arc::clone(&states),
        };
        let probes = Arc::new(Probes::new(kept_in, config.verification.settings()));
        let parts = SharedParts {
            probes: Arc::clone(&probes),
            stores: stores.clone(),
            volume: VolumeGate::new(stores.counters.clone()),
            trace: Arc::clone(&trace),
            policy_record: policy_record.clone(),
            directory: Arc::clone(&directory),
            spans: spans.clone(),
            writers: Pipeline::writers(),
            attempts: Arc::default(),
            incidents: Arc::default(),
            keys_in_hand: Arc::default(),
            authentication: MessageAuthentication::new(&config).into_diagnostic()?,
        };
        let active_config =
            parts.active_config(&config, &notifications, tls.as_ref(), |listener| {
                policies.chain(listener)
            });

        let active = Arc::new(SharedConfig::from_pointee(active_config));
        let routing = Arc::new(PolicyRouter {
            policies: Arc::clone(&policies),
            active: Arc::clone(&active),
            directory: Arc::clone(&directory),
            counters: Arc::clone(&stores.counters),
            trace: Arc::clone(&trace),
            policy_record: policy_record.clone(),
            spans,
            probes: Arc::clone(&probes),
        });
        let outside = Outside::new(&config, parts.authentication.resolver()).into_diagnostic()?;
        let webhooks = Arc::new(Webhooks::new(Arc::clone(&stores.events)));
        webhooks.activate(|name| outside.webhook(name), &config.webhooks);
        let ways = Arc::new(Ways::new(
            &config.relay.store,
            (Arc::clone(&policies), Arc::clone(&active)),
            Arc::clone(&directory),
            (connections.clone(), Arc::clone(&states)),
            outside,
            Records {
                queue: Arc::clone(&stores.admin),
                trace: Arc::clone(&trace),
            },
        ));
        let kept = connection_states::keep(
            Arc::clone(&states),
            Arc::clone(&stores.events),
            Arc::clone(&connections),
            Arc::clone(&ways),
        );
        // Nothing asks for tokens before those of former versions are taken over.
        connection_states::tidy_tokens(&ways, &connections).await;
        tokio::spawn(kept);
        let delivery = Delivery::start(
            Arc::clone(&stores.queue),
            Callers {
                router: routing.clone(),
                ways: Arc::clone(&ways) as Arc<dyn gatepost_delivery::Ways>,
                signing: Arc::clone(&ways) as Arc<dyn gatepost_delivery::Signing>,
                observer: routing,
            },
            Owner::new(),
            config.delivery_settings(notifications),
        )
        .into_diagnostic()?;
        let reopen: Reopen = Arc::new(delivery.reopener());
        let guard = (config.destinations).guard(parts.authentication.resolver());
        let feeds = feeds::Client::new(&config.directory, guard).into_diagnostic()?;
        let feeds = Arc::new(ArcSwap::from_pointee(feeds));
        tokio::spawn(feeds::keep_up(Arc::clone(&directory), Arc::clone(&feeds)));
        let site = Arc::new(ArcSwap::from_pointee(SiteVolume::from(&*config)));
        release_resumed(&stores, &trace, &directory).await;
        let dkim = DkimTools::new(&config).into_diagnostic()?;
        let dkim = Arc::new(ArcSwap::from_pointee(dkim));
        let tools = Arc::clone(&dkim);
        let current = move || {
            let tools = tools.load();
            (tools.resolver.clone(), tools.intervals)
        };
        let events = Arc::clone(&stores.events);
        tokio::spawn(dkim_watch::keep_up(Arc::clone(&directory), events, current));
        let facts = Arc::new(ArcSwapOption::from_pointee(SiteFacts::from(&*config)));
        let page_tls = handover_tls(&config, tls.as_ref());
        let handover = HandoverServer::new(Arc::clone(&directory), page_tls)
            .with_queue(Arc::clone(&stores.admin));
        let api = api_server(&config, tls.as_ref(), &directory, &handler);
        let backups = Arc::new(Backups::new(BackupSource::of(&config)));
        let domains = DomainSettings::from(&*config);
        let domains = Arc::new(ArcSwapOption::from_pointee(domains));
        let letters = letter_settings(&config, Arc::clone(&notices));
        let administrators = Arc::new(Administrators::new(
            Arc::clone(&directory),
            Arc::clone(&stores.queue),
            Arc::clone(&stores.counters),
            letters,
        ));
        let follower = Arc::clone(&administrators);
        tokio::spawn(follower.follow(Arc::clone(&stores.events)));
        let runtime = gatepost_operations::Runtime {
            queue: Arc::clone(&stores.admin),
            events: Arc::clone(&stores.events),
            counters: Arc::clone(&stores.counters),
            suppressions: Arc::clone(&stores.suppressions),
            administrators: Arc::clone(&administrators),
            erasure: Arc::clone(&stores.erasure),
            erasures: Arc::default(),
            forget_tokens: Some({
                let ways = Arc::clone(&ways);
                Arc::new(move |gone: &[ConnectionKey]| ways.forget_tokens(gone))
            }),
            trace: Arc::clone(&trace),
            policy_record,
            directory: Arc::clone(&directory),
            connections: Arc::clone(&connections),
            states: Arc::clone(&states),
            tester: Some(Arc::new(Tester {
                ways: Arc::clone(&ways),
                terms: delivery.terms(),
            })),
            authorizations: Some(Arc::new(Authorizations::new(Arc::new(Authorizer(
                Arc::clone(&ways),
            ))))),
            reopen: Some(Arc::clone(&reopen)),
            site: Arc::clone(&site),
            closing_reply: Some(Arc::new(delivery.closing_replies())),
            webhooks: Some(Arc::clone(&webhooks)),
            policies: Some(Arc::clone(&policies)),
            feeds: Arc::clone(&feeds),
            facts: Arc::clone(&facts),
            dkim: Arc::clone(&dkim),
            backups: Arc::clone(&backups),
            domains: Arc::clone(&domains),
            reload: Some(ask),
            probes: Some(Arc::clone(&probes)),
            intake: Some(Arc::clone(&active)),
        };
        tokio::spawn(upkeep::end_probes(Arc::clone(&probes), serving.clone()));
        tokio::spawn(upkeep::verify_again(
            runtime.clone(),
            probes,
            serving.clone(),
        ));
        tokio::spawn(upkeep::expire_requests(
            Arc::clone(&parts.directory),
            serving.clone(),
        ));
        tokio::spawn(upkeep::expire_ledgers(
            stores.clone(),
            Arc::clone(&active),
            serving.clone(),
        ));
        tokio::spawn(upkeep::expire_of_accounts(
            stores.clone(),
            Arc::clone(&trace),
            Arc::clone(&parts.directory),
            serving.clone(),
        ));
        tokio::spawn(upkeep::expire_handovers(
            Arc::clone(&parts.directory),
            serving.clone(),
        ));
        tokio::spawn(upkeep::keep_directory(
            directory,
            Arc::clone(&stores.events),
            Arc::clone(&active),
            serving.clone(),
        ));
        tokio::spawn(upkeep::tell_late(
            Arc::clone(&stores.admin),
            Arc::clone(&active),
            serving.clone(),
        ));
        tokio::spawn(upkeep::expire(
            stores.admin,
            stores.counters,
            trace,
            serving,
        ));
        let mut relay = Self {
            path: path.to_owned(),
            active,
            parts,
            policies,
            metrics,
            health,
            phase,
            sockets,
            delivery,
            reopen,
            exporter,
            feeds,
            dkim,
            backups,
            domains,
            ways,
            connections,
            states,
            webhooks,
            administrators,
            facts,
            acme,
            handover,
            api,
            site,
            handler,
            limit,
            watch: None,
        };
        relay.watch = watched.map(|watched| watched.start(Arc::clone(&relay.policies)));
        let servers = relay.http_servers();
        let opened = (relay.sockets).open(bound, &relay.active, servers, &relay.phase);
        opened.into_diagnostic()?;
        // The authority looks at once, so the address is open before anything is ordered.
        tokio::spawn(Arc::clone(&relay.acme).run());
        relay.health.listening();
        relay.handler.running(runtime);
        let mut ready = String::from("ready");
        for (name, address) in relay.sockets.addresses(&config) {
            ready += &format!(" {name}={address}");
        }
        // The parent process may have closed the pipe; that is no reason to stop.
        let _ = gatepost_terminal::print(&ready);
        tracing::info!("{ready}");
        service_manager::tell("READY=1");
        Ok(relay)
    }

    fn http_servers(&self) -> HttpServers {
        HttpServers {
            monitor: self.monitor(),
            handover: self.handover.clone(),
            api: self.api.clone(),
            challenges: self.acme.server().clone(),
        }
    }

    fn monitor(&self) -> Monitor {
        Monitor {
            metrics: self.metrics.clone(),
            health: Arc::clone(&self.health),
            policies: Arc::clone(&self.policies) as _,
            queue: Arc::clone(&self.parts.stores.queue),
            admin: Arc::clone(&self.parts.stores.admin),
            counters: Arc::clone(&self.parts.stores.counters),
            trace: Arc::clone(&self.parts.trace),
            directory: Arc::clone(&self.parts.directory),
        }
    }

    /// Lets work in progress finish, within the configured time counted from `begun`. Sessions and
    /// deliveries have all of it but a moment at the end, in which clients that are cut off get
    /// their reply and the trace is written.
    async fn drain(mut self, begun: Instant) {
        self.health.draining();
        self.handler.stopping();
        self.sockets.close_api().await;
        // A batch that is under way comes again, under the same id.
        self.webhooks.stop();
        let within = self.active.load().config.relay.drain;
        let end = begun + within;
        let last = LAST.min(within / 4);
        let work = end - last;
        let sessions = async {
            self.phase.send_replace(Phase::Draining);
            // Each listener and each session holds a receiver until it ends.
            if timeout_at(work, self.phase.closed()).await.is_err() {
                let left = self.phase.receiver_count();
                tracing::warn!(left, "sessions cut off: they took too long to finish");
                self.phase.send_replace(Phase::Over);
                let _ = timeout_at(work + last / 3, self.phase.closed()).await;
            }
        };
        let left = work.saturating_duration_since(Instant::now());
        let delivered = async {
            let delivered = self.delivery.drain(left);
            timeout_at(work + last / 3, delivered).await
        };
        let ((), delivered) = tokio::join!(sessions, delivered);
        let delivered = delivered.unwrap_or_else(|_| {
            tracing::warn!("deliveries cut off: they could not be handed back in time");
            Drained::default()
        });
        connection_states::tell_changes(&self.states, &*self.parts.stores.events).await;
        let (trace, states) = (self.parts.trace, self.states);
        let record = self.parts.policy_record;
        let flushed = tokio::task::spawn_blocking(move || {
            if let Err(error) = states.save() {
                tracing::error!(%error, "the states of connections were not stored");
            }
            if let Some(record) = record {
                record.flush();
            }
            trace.flush()
        });
        let flushed = timeout_at(end - last / 3, flushed).await;
        if !matches!(flushed, Ok(Ok(Ok(())))) {
            tracing::warn!("the last trace events were not written");
        }
        if let Some(exporter) = self.exporter {
            let left = (end - last / 6).saturating_duration_since(Instant::now());
            exporter.flush(LAST_SPANS.min(left)).await;
        }
        tracing::info!(
            deliveries_finished = delivered.finished,
            recipients_returned = delivered.returned,
            "stopped"
        );
    }
}

/// Stores that were opened.
type Opened = (Stores, Arc<Trace>, Arc<Directory>);

/// Opens queue, trace and directory; creates the directory if it does not exist.
async fn open_store(config: &Config) -> miette::Result<Opened> {
    let mut settings = SpoolSettings::new(&config.relay.store).with_min_free(config.relay.min_free);
    settings.fatal = gatepost_operations::fatal();
    let trace = config.relay.store.join("trace.db");
    let retention = config.trace.retention();
    let directory = config.directory.settings(&config.relay.store);
    let opened = tokio::task::spawn_blocking(move || {
        let spool = SqliteSpool::open(settings).into_diagnostic()?;
        let trace = Trace::open(trace, retention).into_diagnostic()?;
        let damaged = metrics::gauge!("gatepost_store_damaged", "file" => "trace");
        damaged.set(if trace.damaged() { 1.0 } else { 0.0 });
        let directory = Directory::open(&directory).into_diagnostic()?;
        miette::Result::<Opened>::Ok((spool.into(), Arc::new(trace), Arc::new(directory)))
    });
    opened.await.into_diagnostic()?
}

/// Releases the mail of accounts that were resumed while no relay ran.
async fn release_resumed(stores: &Stores, trace: &Trace, directory: &Directory) {
    let view = directory.view();
    let released = suspension::release(&*stores.admin, trace, &view, None).await;
    if let Err(error) = released {
        tracing::error!(%error, "held mail of resumed accounts was not released");
    }
}

/// Returns the SMTP settings of a listener's sessions.
fn session_settings(config: &Config, listener: &config::Listener) -> Settings {
    Settings {
        hostname: config.relay.hostname.to_string(),
        limits: config.limits.session(config.repair),
        start_tls: match listener.tls {
            ListenerTls::None | ListenerTls::Implicit => StartTls::None,
            ListenerTls::Starttls => StartTls::Offered,
            ListenerTls::RequiredStarttls => StartTls::Required,
        },
        auth: match listener.direction {
            Direction::Submission => AuthOffer::Required,
            Direction::Inbound if listener.auth && listener.tls != ListenerTls::None => {
                AuthOffer::UnderTls
            }
            Direction::Inbound => AuthOffer::None,
        },
    }
}

/// Returns the TLS of the relay: with certificates of files, with the one that it orders, or both.
fn relay_tls(config: &Config, acme: &AcmeKeeper) -> Result<Option<ServerTls>, tls::TlsError> {
    let issued = config.acme.as_ref().map(|_| acme.certificate());
    let tls = tls::server_tls(config.tls.as_ref(), issued)?;
    let is_proved_by_tls =
        (config.acme.as_ref()).is_some_and(|acme| acme.challenge == ChallengeKind::TlsAlpn01);
    Ok(match is_proved_by_tls {
        true => tls.map(|tls| tls.with_validations(acme.validations())),
        false => tls,
    })
}

/// Returns the TLS of the address at which the certificate authority looks, if it looks at handshakes.
fn challenge_tls(config: &Config, tls: Option<&ServerTls>) -> Option<ServerTls> {
    let acme = config.acme.as_ref()?;
    tls.filter(|_| acme.challenge == ChallengeKind::TlsAlpn01)
        .cloned()
}

/// Says which listeners cannot speak TLS yet.
fn tell_missing_certificate(config: &Config, tls: Option<&ServerTls>) {
    if tls.is_none_or(ServerTls::is_ready) {
        return;
    }
    let listeners: Vec<_> = (config.listeners.iter())
        .filter(|listener| listener.tls != ListenerTls::None)
        .map(|listener| listener.name.as_str())
        .collect();
    tracing::warn!(
        ?listeners,
        "no certificate yet: there is no TLS until the certificate authority has issued one"
    );
}

/// Makes the server of the API. Where it is not configured, nothing reaches it.
fn api_server(
    config: &Config,
    tls: Option<&ServerTls>,
    directory: &Arc<Directory>,
    handler: &RequestHandler,
) -> ApiServer {
    let api = config.api.as_ref();
    let rate = api.map_or(NonZeroU32::MIN, |api| api.requests_a_minute);
    let tls = tls.filter(|_| api.is_some_and(|api| api.tls() == HttpTls::Implicit));
    ApiServer::new(Arc::clone(directory), handler.clone(), rate, tls.cloned())
}

/// Returns the TLS of the page of handovers, if it speaks TLS itself.
fn handover_tls(config: &Config, tls: Option<&ServerTls>) -> Option<ServerTls> {
    let page = config.handover.as_ref()?;
    tls.filter(|_| page.tls == HttpTls::Implicit).cloned()
}
