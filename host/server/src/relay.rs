//! The life of a relay: start, run, stop.
//!
//! Everything that can be wrong is found before the first connection is taken: the store opens,
//! the policies load, the sockets bind; then one line on standard output says that the relay is
//! ready, with the address of each listener:
//!
//! ```text
//! ready mx=0.0.0.0:25 submission=0.0.0.0:465 http=127.0.0.1:9090
//! ```
//!
//! SIGTERM (or SIGINT) drains: no new connections or transactions, those in hand finish, as do
//! deliveries, and the process ends with success. A second signal cuts that short. SIGHUP reads
//! the configuration again and swaps the policies that have changed; a policy that cannot be
//! loaded keeps its last good version, and the log says so as an error. What else has changed
//! needs a restart, and the log names its sections.

mod signals;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gatepost_delivery::Delivery;
use gatepost_message::Millis;
use gatepost_policy::{Engine, EngineSettings};
use gatepost_smtp::server::{AuthOffer, Settings, StartTls};
use gatepost_spool::{Owner, Spool, SpoolSettings, SqliteSpool};
use gatepost_trace::{Event, Kind, Trace};
use miette::{Context as _, IntoDiagnostic as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use self::signals::{Signal, Signals};
use crate::config::{self, Config, Direction, ListenerTls};
use crate::control::{self, ControlSocket};
use crate::listener::{Listener, Places};
use crate::observability::{Health, Metrics, Monitor};
use crate::pipeline::{Pipeline, SpoolMemory};
use crate::policies::Policies;
use crate::routing::Routing;
use crate::session::Phase;
use crate::tls;

/// How long transactions and deliveries in hand may take to finish once the relay is stopping.
const DRAIN: Duration = Duration::from_secs(20);

/// How long sessions that were cut off may take to say so.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often what has had its time is dropped from the store.
const EXPIRE: Duration = Duration::from_secs(60);

/// How long mail has the store to itself before more of that is dropped.
const EXPIRE_MORE: Duration = Duration::from_millis(50);

/// Runs the relay until it is told to stop. `path` is the file of the configuration, read again
/// on SIGHUP.
///
/// # Errors
/// It cannot start.
pub async fn run(config: Config, path: &Path) -> miette::Result<ExitCode> {
    let mut signals = Signals::listen()
        .into_diagnostic()
        .wrap_err("cannot listen for signals")?;
    let relay = Relay::start(config).await?;
    loop {
        match signals.next().await {
            Signal::Reload => relay.reload(path).await,
            Signal::Stop(name) => {
                tracing::info!(signal = name, "stopping");
                tokio::select! {
                    () = relay.drain() => {}
                    () = signals.stop() => tracing::warn!("told to stop again: not waiting any longer"),
                }
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

/// A relay that runs.
struct Relay {
    /// As it was read at start.
    config: Arc<Config>,
    policies: Arc<Policies>,
    trace: Arc<Trace>,
    health: Arc<Health>,
    phase: watch::Sender<Phase>,
    delivery: gatepost_delivery::Handle,
}

impl Relay {
    async fn start(config: Config) -> miette::Result<Self> {
        let config = Arc::new(config);
        let health = Arc::new(Health::default());
        let metrics = Metrics::start().into_diagnostic()?;
        let (spool, trace) = open_store(&config).await?;
        let memory = Arc::new(SpoolMemory(Arc::clone(&spool)));
        let engine = Engine::new(EngineSettings {
            cache: Some(config.relay.store.join("cache")),
            ..EngineSettings::default()
        })
        .into_diagnostic()?;
        let policies = Arc::new(Policies::load(engine, &config).await?);
        health.policies_loaded();

        let (phase, serving) = watch::channel(Phase::Serving);
        let tls = config
            .tls
            .as_ref()
            .map(tls::acceptor)
            .transpose()
            .into_diagnostic()?;
        let places = Places::new(
            config.limits.connections,
            config.limits.connections_per_address,
        );
        let writers = Pipeline::writers();
        let mut ready = String::from("ready");
        let mut listeners = Vec::new();
        for listener in &config.listeners {
            let pipeline = Arc::new(Pipeline {
                config: Arc::clone(&config),
                listener: listener.name.clone(),
                flow: listener.direction.flow(),
                chain: policies.chain(&listener.name),
                memory: memory.clone(),
                spool: Arc::clone(&spool),
                trace: Arc::clone(&trace),
                writers: Arc::clone(&writers),
            });
            let tls = tls.clone().filter(|_| listener.tls != ListenerTls::None);
            let settings = session_settings(&config, listener);
            let places = Arc::clone(&places);
            let bound = Listener::bind(listener.clone(), settings, tls, pipeline, places)
                .await
                .into_diagnostic()
                .wrap_err_with(|| {
                    format!(
                        "cannot listen on {} for \"{}\"",
                        listener.address, listener.name
                    )
                })?;
            ready += &format!(" {}={}", bound.name(), bound.address());
            listeners.push(bound);
        }
        if let Some(http) = &config.http {
            let monitor = Monitor {
                metrics,
                health: Arc::clone(&health),
                policies: policies.slots().cloned().collect(),
                spool: Arc::clone(&spool),
                trace: Arc::clone(&trace),
            };
            let address = serve_monitor(monitor, http.address).await?;
            ready += &format!(" http={address}");
        }

        let routing = Arc::new(Routing {
            policies: Arc::clone(&policies),
            memory,
            spool: Arc::clone(&spool),
            trace: Arc::clone(&trace),
        });
        let delivery = Delivery::start(
            Arc::clone(&spool),
            routing.clone(),
            routing,
            Owner::new(),
            config.delivery.settings(&config.relay.hostname),
        )
        .into_diagnostic()?;
        // Operators are answered while the relay drains, too; the socket goes with the process.
        let control = ControlSocket::bind(&config.relay.store).into_diagnostic()?;
        let runtime = control::Runtime {
            spool: Arc::clone(&spool),
            trace: Arc::clone(&trace),
            policies: Some(Arc::clone(&policies)),
        };
        tokio::spawn(control.serve(runtime, std::future::pending()));
        tokio::spawn(expire(spool, Arc::clone(&trace), serving.clone()));
        for listener in listeners {
            tokio::spawn(listener.run(serving.clone()));
        }
        health.listening();
        // Whoever started the relay may have closed the pipe; that is no reason to stop.
        let _ = writeln!(std::io::stdout(), "{ready}");
        tracing::info!("{ready}");
        Ok(Self {
            config,
            policies,
            trace,
            health,
            phase,
            delivery,
        })
    }

    /// Reads the configuration again and swaps the policies that have changed.
    async fn reload(&self, path: &Path) {
        match Config::load(path) {
            Ok(config) => {
                let sections = self.config.read_at_start(&config);
                if !sections.is_empty() {
                    let sections = sections.join(", ");
                    tracing::warn!(
                        sections,
                        "these sections of the configuration have changed and are read at start only: restart the relay to put them in use"
                    );
                }
                let results = self.policies.reload(&config).await;
                let failed = results.iter().filter(|result| result.is_err()).count();
                tracing::info!(
                    swapped = results.len() - failed,
                    failed,
                    "policies reloaded"
                );
            }
            Err(error) => {
                let problems: Vec<String> =
                    error.problems().iter().map(ToString::to_string).collect();
                tracing::error!(%error, ?problems, "configuration not reloaded, all policies stay as they are");
            }
        }
    }

    /// Lets what is in hand finish, within bounds.
    async fn drain(self) {
        self.health.draining();
        let sessions = async {
            self.phase.send_replace(Phase::Draining);
            // Each listener and each session holds a receiver until it ends.
            if timeout(DRAIN, self.phase.closed()).await.is_err() {
                let left = self.phase.receiver_count();
                tracing::warn!(left, "sessions cut off: they took too long to finish");
                self.phase.send_replace(Phase::Over);
                let _ = timeout(FAREWELL, self.phase.closed()).await;
            }
        };
        let ((), delivered) = tokio::join!(sessions, self.delivery.drain(DRAIN));
        let trace = self.trace;
        let flushed = tokio::task::spawn_blocking(move || trace.flush()).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last events did not reach the trace");
        }
        tracing::info!(
            deliveries_finished = delivered.finished,
            recipients_returned = delivered.returned,
            "stopped"
        );
    }
}

/// Opens queue and trace, which makes the directory if it is not there.
async fn open_store(config: &Config) -> miette::Result<(Arc<dyn Spool>, Arc<Trace>)> {
    let settings = SpoolSettings::new(&config.relay.store).with_min_free(config.relay.min_free);
    let trace = config.relay.store.join("trace.db");
    let retention = config.trace.retention();
    let opened = tokio::task::spawn_blocking(move || {
        let spool = SqliteSpool::open(settings).into_diagnostic()?;
        let trace = Trace::open(trace, retention).into_diagnostic()?;
        miette::Result::<_>::Ok((Arc::new(spool) as Arc<dyn Spool>, Arc::new(trace)))
    });
    opened.await.into_diagnostic()?
}

/// What the sessions of a listener say of themselves and allow.
fn session_settings(config: &Config, listener: &config::Listener) -> Settings {
    Settings {
        hostname: config.relay.hostname.to_string(),
        limits: config.limits.session(),
        start_tls: match listener.tls {
            ListenerTls::None | ListenerTls::Implicit => StartTls::None,
            ListenerTls::Starttls => StartTls::Offered,
            ListenerTls::RequiredStarttls => StartTls::Required,
        },
        auth: match listener.direction {
            Direction::Inbound => AuthOffer::None,
            Direction::Submission => AuthOffer::Required,
        },
    }
}

/// Answers monitors for as long as the process lives: while it drains, too.
async fn serve_monitor(
    monitor: Monitor,
    address: std::net::SocketAddr,
) -> miette::Result<std::net::SocketAddr> {
    let bind = async {
        let listener = TcpListener::bind(address).await?;
        Ok((listener.local_addr()?, listener))
    };
    let bound: std::io::Result<_> = bind.await;
    let (address, listener) = bound
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot listen on {address} for monitors"))?;
    tokio::spawn(async move {
        if let Err(error) = monitor.serve(listener, std::future::pending()).await {
            tracing::error!(%error, "monitors are no longer answered");
        }
    });
    Ok(address)
}

/// Drops what has had its time, once a minute. The drain waits for it, as for a session: what is
/// dropped is on record before the end.
async fn expire(spool: Arc<dyn Spool>, trace: Arc<Trace>, mut phase: watch::Receiver<Phase>) {
    let mut minute = interval(EXPIRE);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = minute.tick() => {}
            _ = phase.changed() => return,
        }
        while *phase.borrow() == Phase::Serving {
            match spool.expire(Millis::now()).await {
                Ok(expired) => {
                    for id in expired.quarantined {
                        tracing::info!(%id, "dropped from quarantine: its time was over");
                        trace.record(Event::now(
                            id,
                            Kind::Expired {
                                recipients: Vec::new(),
                            },
                        ));
                    }
                    if !expired.more {
                        break;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "what has had its time cannot be dropped");
                    break;
                }
            }
            sleep(EXPIRE_MORE).await;
        }
    }
}
