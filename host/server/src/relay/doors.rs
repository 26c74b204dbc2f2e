//! The sockets that the relay listens on: one for each listener, and the one for monitors. Over a
//! reload those that both configurations name stay open.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use gatepost_config::Config;
use gatepost_intake::listener::{self, Listener, Places, Shares};
use gatepost_intake::live::{Door, Entrance, InUse};
use gatepost_intake::session::Phase;
use gatepost_observability::Monitor;

/// What is listened on.
#[derive(Default)]
pub(super) struct Doors {
    listeners: HashMap<Door, Open>,
    monitor: Option<(SocketAddr, Open)>,
    places: Arc<Places>,
}

/// Somebody who takes connections, until told to stop.
struct Open {
    /// With the port that the system chose where none was given.
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Open {
    fn new<T: Future<Output = ()> + Send + 'static>(
        address: SocketAddr,
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

    /// Connections that have been taken live on.
    async fn close(self) {
        drop(self.stop);
        // A panic in there has been told already, and ends it as well.
        let _ = self.task.await;
    }
}

/// Sockets that are bound and take no connections yet.
pub(super) struct Bound {
    listeners: Vec<(Door, TcpListener)>,
    monitor: Option<(SocketAddr, TcpListener)>,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {what}: {source}")]
pub(super) struct BindError {
    address: SocketAddr,
    what: String,
    /// Place of the listener in the configuration; `None` for monitors.
    pub(super) listener: Option<usize>,
    source: io::Error,
}

impl Doors {
    /// Binds what the configuration names and is not open yet.
    ///
    /// # Errors
    /// An address is taken or not this machine's.
    pub(super) fn bind(&self, config: &Config) -> Result<Bound, BindError> {
        let mut bound = Bound {
            listeners: Vec::new(),
            monitor: None,
        };
        for (number, listener) in config.listeners.iter().enumerate() {
            let door = Door::of(listener);
            if self.listeners.contains_key(&door) {
                continue;
            }
            let socket = listener::bind(listener.address);
            let socket = socket.map_err(|source| BindError {
                address: listener.address,
                what: format!("\"{}\"", listener.name),
                listener: Some(number),
                source,
            })?;
            bound.listeners.push((door, socket));
        }
        let open = self.monitor.as_ref().map(|(address, _)| *address);
        if let Some(http) = (config.http.as_ref()).filter(|http| open != Some(http.address)) {
            let socket = listener::bind(http.address);
            let socket = socket.map_err(|source| BindError {
                address: http.address,
                what: "monitors".to_owned(),
                listener: None,
                source,
            })?;
            bound.monitor = Some((http.address, socket));
        }
        Ok(bound)
    }

    /// Closes what the configuration names no more.
    pub(super) async fn close_all_but(&mut self, config: &Config) {
        let named: HashSet<_> = config.listeners.iter().map(Door::of).collect();
        for (_, open) in self.listeners.extract_if(|door, _| !named.contains(door)) {
            open.close().await;
        }
        let http = config.http.as_ref().map(|http| http.address);
        if let Some((_, open)) = self.monitor.take_if(|(address, _)| Some(*address) != http) {
            open.close().await;
        }
    }

    /// Takes connections on what was bound.
    ///
    /// # Errors
    /// A socket has no address any more.
    pub(super) fn open(
        &mut self,
        bound: Bound,
        in_use: &Arc<InUse>,
        monitor: Monitor,
        phase: &watch::Sender<Phase>,
    ) -> io::Result<()> {
        self.places.share(Shares::of(&in_use.load().config));
        for (door, socket) in bound.listeners {
            let address = socket.local_addr()?;
            let entrance = Entrance {
                in_use: Arc::clone(in_use),
                door: door.clone(),
            };
            let listener = Listener::new(socket, entrance, Arc::clone(&self.places));
            let phase = phase.subscribe();
            let open = Open::new(address, |stop| listener.run(phase, stop));
            self.listeners.insert(door, open);
        }
        if let Some((configured, socket)) = bound.monitor {
            let address = socket.local_addr()?;
            let open = Open::new(address, |stop| async {
                // Answers while the relay drains, too.
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

    /// Where each listener of the configuration is, and `http`, in its order.
    pub(super) fn addresses(&self, config: &Config) -> Vec<(String, SocketAddr)> {
        let listeners = config.listeners.iter().filter_map(|listener| {
            let open = self.listeners.get(&Door::of(listener))?;
            Some((listener.name.clone(), open.address))
        });
        let monitor = self.monitor.iter();
        let monitor = monitor.map(|(_, open)| ("http".to_owned(), open.address));
        listeners.chain(monitor).collect()
    }
}
