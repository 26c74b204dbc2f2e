//! States of all connections of a running relay: shared, told to operators, and kept over restarts.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::time::Duration;

use gatepost_message::Millis;
use parking_lot::Mutex;

use crate::{Connection, ConnectionKey, ConnectionStanding, ConnectionState};

/// Gauge: 1 for the state that a connection is in, 0 for the others.
const STATE: &str = "gatepost_connection_state";

/// Gauge: end of a connection's secret in seconds since 1970, if it is near or past; else 0.
const SECRET_EXPIRES: &str = "gatepost_connection_secret_expires";

/// Time before the end of a secret at which operators are warned.
const WARNED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Place where the states are kept over a restart.
pub trait StandingStore: Debug + Send {
    /// Loads all states.
    ///
    /// # Errors
    /// The store cannot be read.
    fn load(&self) -> Result<Vec<(ConnectionKey, ConnectionStanding)>, StandingError>;

    /// Writes these states, and removes those of `gone`.
    ///
    /// # Errors
    /// The store cannot be written.
    fn save(
        &mut self,
        changed: &[(ConnectionKey, ConnectionStanding)],
        gone: &[ConnectionKey],
    ) -> Result<(), StandingError>;
}

/// Error of a store of states.
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
    /// SQLite failed.
    #[error("the states of connections cannot be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A later version wrote the store.
    #[error("connections.db has schema {found}, and this version knows {known}: run a later one")]
    Newer {
        /// Schema that was found.
        found: u32,
        /// Latest schema that is known.
        known: u32,
    },
    /// A state cannot be read back.
    #[error("the state of a connection is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
}

/// States of all connections.
#[derive(Debug)]
pub struct ConnectionStates {
    standings: Mutex<Standings>,
    store: Mutex<Box<dyn StandingStore>>,
}

#[derive(Debug, Default)]
struct Standings {
    by_key: HashMap<ConnectionKey, ConnectionStanding>,
    changed: HashSet<ConnectionKey>,
    gone: HashSet<ConnectionKey>,
    /// Connections whose secret was warned of.
    warned: HashSet<ConnectionKey>,
}

impl ConnectionStates {
    /// Loads the states from their store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(store: Box<dyn StandingStore>) -> Result<Self, StandingError> {
        let by_key: HashMap<_, _> = store.load()?.into_iter().collect();
        for (key, standing) in &by_key {
            show_state(key, standing.state());
        }
        Ok(Self {
            standings: Mutex::new(Standings {
                by_key,
                ..Standings::default()
            }),
            store: Mutex::new(store),
        })
    }

    /// Returns all that is known of a connection's state, the counts of its mailboxes too.
    pub fn of(&self, key: &ConnectionKey) -> ConnectionStanding {
        let standings = self.standings.lock();
        standings.by_key.get(key).cloned().unwrap_or_default()
    }

    /// Returns whether a connection works. It costs the same however many mailboxes are counted.
    pub fn state_of(&self, key: &ConnectionKey) -> ConnectionState {
        self.read(key, |standing| standing.state().clone())
    }

    /// Reads something of the state of a connection.
    pub fn read<T>(&self, key: &ConnectionKey, read: impl FnOnce(&ConnectionStanding) -> T) -> T {
        let standings = self.standings.lock();
        match standings.by_key.get(key) {
            Some(standing) => read(standing),
            None => read(&ConnectionStanding::default()),
        }
    }

    /// Does something with the state of a connection, and tells operators if it changes.
    pub fn with<T>(
        &self,
        key: &ConnectionKey,
        act: impl FnOnce(&mut ConnectionStanding) -> T,
    ) -> T {
        let mut standings = self.standings.lock();
        let standing = standings.by_key.entry(key.clone()).or_default();
        let before = standing.state().clone();
        let made = act(standing);
        let after = standing.state().clone();
        if !standings.changed.contains(key) {
            standings.changed.insert(key.clone());
            standings.gone.remove(key);
        }
        drop(standings);
        if before.word() != after.word() {
            tell(key, &before, &after);
        }
        made
    }

    /// Forgets a connection that was removed.
    pub fn forget(&self, key: &ConnectionKey) {
        let mut standings = self.standings.lock();
        standings.by_key.remove(key);
        standings.changed.remove(key);
        standings.warned.remove(key);
        standings.gone.insert(key.clone());
        for state in ConnectionState::WORDS {
            metrics::gauge!(STATE, "connection" => key.to_string(), "state" => state).set(0.0);
        }
    }

    /// Shows the states of these connections in the metrics, and warns of secrets that end within
    /// 30 days: once for each connection and start.
    pub fn show<'a>(
        &self,
        connections: impl IntoIterator<Item = (ConnectionKey, &'a Connection)>,
        now: Millis,
    ) {
        for (key, connection) in connections {
            show_state(&key, self.of(&key).state());
            let soon = expires_soon(connection, now);
            let seconds = soon.map_or(0, |at| at.0 / 1_000);
            let named = key.to_string();
            metrics::gauge!(SECRET_EXPIRES, "connection" => named).set(seconds as f64);
            let Some(at) = soon else { continue };
            if self.standings.lock().warned.insert(key.clone()) {
                tracing::warn!(
                    connection = %key,
                    expires = %at,
                    "the secret of a connection expires soon: set a new one with `gatepost \
                     connection set`"
                );
            }
        }
    }

    /// Writes what has changed since the last time. Blocks on the disk.
    ///
    /// # Errors
    /// The store cannot be written; the next call tries again.
    pub fn save(&self) -> Result<(), StandingError> {
        let mut store = self.store.lock();
        let (changed, gone) = {
            let mut standings = self.standings.lock();
            let keys = std::mem::take(&mut standings.changed);
            let changed: Vec<_> = (keys.into_iter())
                .filter_map(|key| Some((key.clone(), standings.by_key.get(&key)?.clone())))
                .collect();
            let gone: Vec<_> = std::mem::take(&mut standings.gone).into_iter().collect();
            (changed, gone)
        };
        if changed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        store.save(&changed, &gone).inspect_err(|_| {
            let mut standings = self.standings.lock();
            standings
                .changed
                .extend(changed.into_iter().map(|(key, _)| key));
            standings.gone.extend(gone);
        })
    }
}

impl Drop for ConnectionStates {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            tracing::error!(%error, "the states of connections were not stored");
        }
    }
}

/// Returns the end of a connection's secret if it is less than 30 days away, or past.
pub fn expires_soon(connection: &Connection, now: Millis) -> Option<Millis> {
    connection.secret_expires.filter(|at| *at <= now + WARNED)
}

fn show_state(key: &ConnectionKey, state: &ConnectionState) {
    for word in ConnectionState::WORDS {
        let is_in = f64::from(u8::from(word == state.word()));
        metrics::gauge!(STATE, "connection" => key.to_string(), "state" => word).set(is_in);
    }
}

fn tell(key: &ConnectionKey, before: &ConnectionState, after: &ConnectionState) {
    show_state(key, after);
    match after {
        ConnectionState::Broken(trouble) => tracing::error!(
            connection = %key,
            stage = %trouble.stage,
            server = trouble.words,
            advice = trouble.advice,
            next_probe = %trouble.next_probe,
            "connection broken: its mail is held"
        ),
        ConnectionState::Paused(trouble) => tracing::warn!(
            connection = %key,
            stage = %trouble.stage,
            server = trouble.words,
            advice = trouble.advice,
            until = %trouble.next_probe,
            "connection paused"
        ),
        ConnectionState::Working => tracing::info!(
            connection = %key,
            before = before.word(),
            "connection works again"
        ),
    }
}
