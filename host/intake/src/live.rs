//! What is in use now: one value behind one pointer, which a reload replaces as a whole.
//!
//! A session takes its `Service` at its start and keeps it: limits, greeting and how it speaks
//! TLS are settled for its client then. A transaction takes its [`Pipeline`] at MAIL (accounts,
//! chain, times) and keeps it to its end, so nothing of it is judged half by one configuration and
//! half by another.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::listener::Service;
use crate::log_ins::LogIns;
use crate::pipeline::Pipeline;
use gatepost_config::{self as config, Config};

/// Where a socket is: its address as configured, by which it stays open over a reload; where the
/// system chooses the port (0), with the listener's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Door(SocketAddr, Option<String>);

impl Door {
    /// That of a listener.
    pub fn of(listener: &config::Listener) -> Self {
        let any = listener.address.port() == 0;
        Self(listener.address, any.then(|| listener.name.clone()))
    }

    #[cfg(test)]
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self(address, None)
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.1 {
            Some(name) => write!(f, "{name}"),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Configuration in use, with all that is made of it: a reload replaces it as a whole.
pub struct Live {
    /// Configuration.
    pub config: Arc<Config>,
    /// Check of users and secrets.
    pub log_ins: Arc<LogIns>,
    /// Settings of each listener.
    pub services: HashMap<Door, Arc<Service>>,
}

/// Pointer to the configuration in use.
pub type InUse = ArcSwap<Live>;

/// Access of one listener's sessions to the configuration in use.
#[derive(Clone)]
pub struct Entrance {
    /// Configuration in use.
    pub in_use: Arc<InUse>,
    /// Key of the listener.
    pub door: Door,
}

impl Entrance {
    /// Returns the settings of a session that begins now; `None` once the listener is gone.
    pub fn service(&self) -> Option<Arc<Service>> {
        self.in_use.load().services.get(&self.door).cloned()
    }

    /// What a transaction has to begin with, in a session whose last one had `before`. Where the
    /// listener is gone, or mail travels through it in the other direction, a session that is
    /// left over keeps its chain; whose mail is carried says the present configuration there, too.
    pub fn pipeline(&self, before: &Arc<Pipeline>) -> Arc<Pipeline> {
        let live = self.in_use.load();
        match live.services.get(&self.door) {
            Some(service) if service.pipeline.flow == before.flow => Arc::clone(&service.pipeline),
            _ if Arc::ptr_eq(&live.config, &before.config) => Arc::clone(before),
            _ => Arc::new(Pipeline {
                config: Arc::clone(&live.config),
                log_ins: Arc::clone(&live.log_ins),
                ..Pipeline::clone(before)
            }),
        }
    }
}
