//! The sockets that the relay listens on: one for each listener, one for monitors, one for the page of
//! handovers, one for the API, and one at which a certificate authority looks. Those that both configurations name stay open over a reload.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use gatepost_acme::ChallengeServer;
use gatepost_api::ApiServer;
use gatepost_config::Config;
use gatepost_handover::HandoverServer;
use gatepost_http_server::HttpSocket;
use gatepost_intake::active_config::{ConfigHandle, ListenerKey, SharedConfig};
use gatepost_intake::listener::{self, ConnectionPermits, Listener, Shares};
use gatepost_intake::session::Phase;
use gatepost_observability::Monitor;

use super::api_place::ApiPlace;

/// Listening sockets of the relay.
#[derive(Default)]
pub(super) struct Sockets {
    listeners: HashMap<ListenerKey, ListeningTask>,
    monitor: Option<(SocketAddr, ListeningTask)>,
    handover: Option<(SocketAddr, ListeningTask)>,
    api: Option<(ApiPlace, ListeningTask)>,
    challenges: Option<(SocketAddr, ListeningTask)>,
    permits: Arc<ConnectionPermits>,
}

/// A task that accepts connections until it is told to stop.
struct ListeningTask {
    /// Bound address, with the port that the system chose where none was configured; `None` for a
    /// socket in the file system.
    address: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl ListeningTask {
    fn new<T: Future<Output = ()> + Send + 'static>(
        address: Option<SocketAddr>,
        run: impl FnOnce(oneshot::Receiver<()>) -> T,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(stopped));
        Self {
            address,
            stop,
            task,
        }
    }

    /// Stops accepting. Accepted connections live on.
    async fn close(self) {
        drop(self.stop);
        // A panic in the task has been logged already, and ends it as well.
        let _ = self.task.await;
    }
}

/// Bound sockets that accept no connections yet.
pub(super) struct Bound {
    listeners: Vec<(ListenerKey, TcpListener)>,
    monitor: Option<(SocketAddr, TcpListener)>,
    handover: Option<(SocketAddr, TcpListener)>,
    api: Option<(ApiPlace, HttpSocket)>,
    challenges: Option<(SocketAddr, TcpListener)>,
}

/// Servers of HTTP beside the listeners.
pub(super) struct HttpServers {
    pub(super) monitor: Monitor,
    pub(super) handover: HandoverServer,
    pub(super) api: ApiServer,
    pub(super) challenges: ChallengeServer,
}

/// Use of an address of the configuration.
#[derive(Debug, Clone, Copy)]
pub(super) enum AddressOf {
    /// The listener with this number.
    Listener(usize),
    /// Monitors.
    Monitors,
    /// The page of handovers.
    Handovers,
    /// The API.
    Api,
    /// Challenges of a certificate authority.
    Challenges,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {what}: {cause}; {advice}", advice = listener::bind_advice(cause))]
pub(super) struct BindError {
    address: String,
    what: String,
    pub(super) of: AddressOf,
    /// Error of the system, which stands in the message: it is not the source, too.
    cause: io::Error,
}

impl Sockets {
    /// Binds the sockets that the configuration names and that are not open yet.
    ///
    /// # Errors
    /// An address is taken, or is not this machine's.
    pub(super) fn bind(&self, config: &Config) -> Result<Bound, BindError> {
        let mut bound = Bound {
            listeners: Vec::new(),
            monitor: None,
            handover: None,
            api: None,
            challenges: None,
        };
        for (number, listener) in config.listeners.iter().enumerate() {
            let key = ListenerKey::of(listener);
            if self.listeners.contains_key(&key) {
                continue;
            }
            let socket = listener::bind(listener.address);
            let socket = socket.map_err(|cause| BindError {
                address: listener.address.to_string(),
                what: format!("\"{}\"", listener.name),
                of: AddressOf::Listener(number),
                cause,
            })?;
            bound.listeners.push((key, socket));
        }
        let open = self.monitor.as_ref().map(|(address, _)| *address);
        let http = config.http.as_ref().map(|http| http.address);
        bound.monitor = bind_http(http, open, "monitors", AddressOf::Monitors)?;
        let open = self.handover.as_ref().map(|(address, _)| *address);
        let page = config.handover.as_ref().map(|page| page.address);
        bound.handover = bind_http(page, open, "handovers", AddressOf::Handovers)?;
        let open = self.challenges.as_ref().map(|(address, _)| *address);
        let looked_at = config.acme.as_ref().and_then(|acme| acme.listen);
        let of = AddressOf::Challenges;
        bound.challenges = bind_http(looked_at, open, "challenges of ACME", of)?;
        let open = self.api.as_ref().map(|(place, _)| place);
        let place = ApiPlace::of(config).filter(|place| open != Some(place));
        if let Some(place) = place {
            let socket = place.bind().map_err(|cause| BindError {
                address: place.to_string(),
                what: "the API".to_owned(),
                of: AddressOf::Api,
                cause,
            });
            bound.api = Some((place, socket?));
        }
        Ok(bound)
    }

    /// Closes the sockets that the configuration no longer names.
    pub(super) async fn close_all_but(&mut self, config: &Config) {
        let named: HashSet<_> = config.listeners.iter().map(ListenerKey::of).collect();
        for (_, open) in self.listeners.extract_if(|key, _| !named.contains(key)) {
            open.close().await;
        }
        let http = config.http.as_ref().map(|http| http.address);
        if let Some((_, open)) = self.monitor.take_if(|(address, _)| Some(*address) != http) {
            open.close().await;
        }
        let page = config.handover.as_ref().map(|page| page.address);
        if let Some((_, open)) = self.handover.take_if(|(address, _)| Some(*address) != page) {
            open.close().await;
        }
        let looked_at = config.acme.as_ref().and_then(|acme| acme.listen);
        let gone = |(address, _): &mut (SocketAddr, _)| Some(*address) != looked_at;
        if let Some((_, open)) = self.challenges.take_if(gone) {
            open.close().await;
        }
        let api = ApiPlace::of(config);
        if let Some((place, open)) = self.api.take_if(|(place, _)| Some(&*place) != api.as_ref()) {
            open.close().await;
            place.tidy();
        }
    }

    /// Accepts connections on the bound sockets.
    ///
    /// # Errors
    /// A socket no longer has an address.
    pub(super) fn open(
        &mut self,
        bound: Bound,
        active: &Arc<SharedConfig>,
        servers: HttpServers,
        phase: &watch::Sender<Phase>,
    ) -> io::Result<()> {
        self.permits.share(Shares::of(&active.load().config));
        for (key, socket) in bound.listeners {
            let address = Some(socket.local_addr()?);
            let handle = ConfigHandle {
                active: Arc::clone(active),
                listener: key.clone(),
            };
            let listener = Listener::new(socket, handle, Arc::clone(&self.permits));
            let phase = phase.subscribe();
            let open = ListeningTask::new(address, |stop| listener.run(phase, stop));
            self.listeners.insert(key, open);
        }
        let HttpServers {
            monitor,
            handover,
            api,
            challenges,
        } = servers;
        if let Some((configured, socket)) = bound.challenges {
            let address = Some(socket.local_addr()?);
            let open = ListeningTask::new(address, |stop| async {
                let stop = async {
                    let _ = stop.await;
                };
                challenges.serve(socket, stop).await;
            });
            self.challenges = Some((configured, open));
        }
        if let Some((place, socket)) = bound.api {
            let address = match &socket {
                HttpSocket::Tcp(socket) => Some(socket.local_addr()?),
                HttpSocket::Unix(_) => None,
            };
            let open = ListeningTask::new(address, |stop| async {
                let stop = async {
                    let _ = stop.await;
                };
                api.serve(socket, stop).await;
            });
            self.api = Some((place, open));
        }
        if let Some((configured, socket)) = bound.handover {
            let address = Some(socket.local_addr()?);
            let open = ListeningTask::new(address, |stop| async {
                let stop = async {
                    let _ = stop.await;
                };
                handover.serve(socket, stop).await;
            });
            self.handover = Some((configured, open));
        }
        if let Some((configured, socket)) = bound.monitor {
            let address = Some(socket.local_addr()?);
            let open = ListeningTask::new(address, |stop| async {
                // Monitors are answered during the drain, too.
                let stop = async {
                    let _ = stop.await;
                };
                if let Err(error) = monitor.serve(socket, stop).await {
                    tracing::error!(%error, "monitors are no longer answered");
                }
            });
            self.monitor = Some((configured, open));
        }
        Ok(())
    }

    /// Stops answering requests of the API. Those that are under way are finished.
    pub(super) async fn close_api(&mut self) {
        if let Some((place, open)) = self.api.take() {
            open.close().await;
            place.tidy();
        }
    }

    /// Returns name and address of each listener, in the configuration's order, of `http`, of
    /// `handover`, of `api` and of `acme`. A socket in the file system has none.
    pub(super) fn addresses(&self, config: &Config) -> Vec<(String, SocketAddr)> {
        let listeners = config.listeners.iter().filter_map(|listener| {
            let open = self.listeners.get(&ListenerKey::of(listener))?;
            Some((listener.name.clone(), open.address?))
        });
        let monitor = self.monitor.iter().map(|(_, open)| ("http", open.address));
        let handover = self.handover.iter();
        let handover = handover.map(|(_, open)| ("handover", open.address));
        let api = self.api.iter().map(|(_, open)| ("api", open.address));
        let challenges = self.challenges.iter();
        let challenges = challenges.map(|(_, open)| ("acme", open.address));
        let others = monitor.chain(handover).chain(api).chain(challenges);
        let others = others.filter_map(|(name, address)| Some((name.to_owned(), address?)));
        listeners.chain(others).collect()
    }
}

/// Binds an address of HTTP, unless it is open.
fn bind_http(
    configured: Option<SocketAddr>,
    open: Option<SocketAddr>,
    what: &str,
    of: AddressOf,
) -> Result<Option<(SocketAddr, TcpListener)>, BindError> {
    let Some(address) = configured.filter(|address| open != Some(*address)) else {
        return Ok(None);
    };
    let bound = listener::bind(address).map_err(|cause| BindError {
        address: address.to_string(),
        what: what.to_owned(),
        of,
        cause,
    });
    Ok(Some((address, bound?)))
}
