//! The active configuration: one value behind one pointer, which a reload replaces as a whole.
//!
//! A session takes its `Service` at its start and keeps it: limits, greeting and TLS settings stay
//! the same for its client. A transaction takes its [`Pipeline`] at MAIL (accounts, chain, times)
//! and keeps it to its end, so that no transaction is judged half by one configuration and half by
//! another.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::authenticator::Authenticator;
use crate::listener::Service;
use crate::pipeline::Pipeline;
use gatepost_config::{self as config, Config};

/// Identifies a listener's socket over reloads: by its configured address, and also by the
/// listener's name where the system chooses the port (0).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListenerKey(SocketAddr, Option<String>);

impl ListenerKey {
    /// Returns the key of a listener.
    pub fn of(listener: &config::Listener) -> Self {
        let any = listener.address.port() == 0;
        Self(listener.address, any.then(|| listener.name.clone()))
    }

    #[cfg(test)]
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self(address, None)
    }
}

impl fmt::Display for ListenerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.1 {
            Some(name) => write!(f, "{name}"),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Active configuration, with all that is made of it.
pub struct ActiveConfig {
    /// Configuration.
    pub config: Arc<Config>,
    /// Users, and the check of their secrets.
    pub authenticator: Arc<Authenticator>,
    /// Settings of each listener's sessions.
    pub services: HashMap<ListenerKey, Arc<Service>>,
}

/// Pointer to the active configuration, which a reload replaces.
pub type SharedConfig = ArcSwap<ActiveConfig>;

/// Access of one listener's sessions to the active configuration.
#[derive(Clone)]
pub struct ConfigHandle {
    /// Active configuration.
    pub active: Arc<SharedConfig>,
    /// Key of the listener.
    pub listener: ListenerKey,
}

impl ConfigHandle {
    /// Returns the settings of a session that begins now, or `None` if the listener is gone.
    pub fn service(&self) -> Option<Arc<Service>> {
        self.active.load().services.get(&self.listener).cloned()
    }

    /// Returns the pipeline of the next transaction in a session whose last one had `before`. Where
    /// the listener is gone, or its mail now travels in the other direction, the session keeps its
    /// policy chain, but account ownership follows the current configuration.
    pub fn pipeline(&self, before: &Arc<Pipeline>) -> Arc<Pipeline> {
        let active = self.active.load();
        match active.services.get(&self.listener) {
            Some(service) if service.pipeline.flow == before.flow => Arc::clone(&service.pipeline),
            _ if Arc::ptr_eq(&active.config, &before.config) => Arc::clone(before),
            _ => Arc::new(Pipeline {
                config: Arc::clone(&active.config),
                authenticator: Arc::clone(&active.authenticator),
                ..Pipeline::clone(before)
            }),
        }
    }
}
