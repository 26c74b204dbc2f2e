//! States of all connections of a running relay: shared, told to operators, and kept over restarts.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::time::Duration;

use gatepost_message::Millis;
use parking_lot::Mutex;

use crate::{Connection, ConnectionKey, ConnectionStanding, ConnectionState};

/// Gauge: 1 for the state that a connection is in, 0 for the others.
const STATE: &str = "gatepost_connection_state";

/// Gauge: end of a connection's secret or authorization in seconds since 1970, if it is near or
/// past; else 0.
const SECRET_EXPIRES: &str = "gatepost_connection_secret_expires";

/// Time before the end of a secret or of an authorization at which operators are warned.
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

    /// Overwrites what was removed, where the store has a disk that may still hold it.
    ///
    /// # Errors
    /// The store cannot be written.
    fn overwrite_erased(&mut self) -> Result<(), StandingError> {
        Ok(())
    }
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
    /// Connections that were warned of, by what expires.
    warned: HashSet<(ConnectionKey, Expiring)>,
    /// Connections of which their owners are still to be told, and whether they were broken before.
    untold: HashMap<ConnectionKey, bool>,
}

impl Standings {
    /// Notes that the owner of a connection is to be told if it broke, or is not broken any more.
    fn note(&mut self, key: &ConnectionKey, before: &ConnectionState, after: &ConnectionState) {
        let is_broken = |state: &ConnectionState| matches!(state, ConnectionState::Broken(_));
        if is_broken(before) != is_broken(after) {
            let was_broken = is_broken(before);
            self.untold.entry(key.clone()).or_insert(was_broken);
        }
    }
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
        standings.note(key, &before, &after);
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

    /// Returns the connections that broke, or are not broken any more, since the last call, with
    /// their states: their owners are to be told. What broke and was mended in between is left out.
    pub fn take_changes(&self) -> Vec<(ConnectionKey, ConnectionState)> {
        let mut standings = self.standings.lock();
        let untold = std::mem::take(&mut standings.untold);
        let changes = untold.into_iter().filter_map(|(key, was_broken)| {
            let state = standings.by_key.get(&key)?.state();
            let is_broken = matches!(state, ConnectionState::Broken(_));
            (is_broken != was_broken).then(|| (key, state.clone()))
        });
        changes.collect()
    }

    /// Forgets the authorization of a connection that was changed, if it is not good for it any
    /// more.
    pub fn carry_authorization(&self, key: &ConnectionKey, before: &Connection, now: &Connection) {
        if !before.shares_authorization(now) {
            self.with(key, |standing| standing.authorized(None));
        }
    }

    /// Forgets a connection that was removed.
    pub fn forget(&self, key: &ConnectionKey) {
        let mut standings = self.standings.lock();
        standings.by_key.remove(key);
        standings.changed.remove(key);
        standings.untold.remove(key);
        standings.warned.retain(|(warned, _)| warned != key);
        standings.gone.insert(key.clone());
        for state in ConnectionState::WORDS {
            metrics::gauge!(STATE, "connection" => key.to_string(), "state" => state).set(0.0);
        }
    }

    /// Returns the connections of an account of which a state is known.
    pub fn keys_of(&self, account: &str) -> Vec<ConnectionKey> {
        let standings = self.standings.lock();
        let keys = standings.by_key.keys();
        let own = keys.filter(|key| key.account.as_deref() == Some(account));
        own.cloned().collect()
    }

    /// Overwrites on the disk what was removed. Blocks on the disk.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn overwrite_erased(&self) -> Result<(), StandingError> {
        self.store.lock().overwrite_erased()
    }

    /// Shows the states of these connections in the metrics, and warns of secrets and
    /// authorizations that end within 30 days: once for each, until it is renewed.
    pub fn show<'a>(
        &self,
        connections: impl IntoIterator<Item = (ConnectionKey, &'a Connection)>,
        now: Millis,
    ) {
        for (key, connection) in connections {
            show_state(&key, &self.state_of(&key));
            let authorization = self.read(&key, ConnectionStanding::authorization);
            let ends = [
                (Expiring::Secret, connection.secret_expires),
                (
                    Expiring::Authorization,
                    authorization.and_then(|authorization| authorization.expires),
                ),
            ];
            let soon = ends.map(|(what, at)| (what, at.filter(|at| is_soon(*at, now))));
            let first = soon.iter().filter_map(|(_, at)| *at).min();
            let seconds = first.map_or(0, |at| at.0 / 1_000);
            let named = key.to_string();
            metrics::gauge!(SECRET_EXPIRES, "connection" => named).set(seconds as f64);
            for (what, at) in soon {
                let warned = (key.clone(), what);
                let mut standings = self.standings.lock();
                let Some(at) = at else {
                    standings.warned.remove(&warned);
                    continue;
                };
                if standings.warned.insert(warned) {
                    drop(standings);
                    what.warn(&key, at);
                }
            }
        }
    }

    /// Writes what has changed since the last time, and returns the connections that were removed.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// The store cannot be written; the next call tries again.
    pub fn save(&self) -> Result<Vec<ConnectionKey>, StandingError> {
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
            return Ok(gone);
        }
        match store.save(&changed, &gone) {
            Ok(()) => Ok(gone),
            Err(error) => {
                let mut standings = self.standings.lock();
                let changed = changed.into_iter().map(|(key, _)| key);
                standings.changed.extend(changed);
                standings.gone.extend(gone);
                Err(error)
            }
        }
    }
}

impl Drop for ConnectionStates {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            tracing::error!(%error, "the states of connections were not stored");
        }
    }
}

/// Part of a connection that expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Expiring {
    /// Secret whose end its owner has named.
    Secret,
    /// Consent to its refresh token, whose end the token server has named.
    Authorization,
}

impl Expiring {
    fn warn(self, key: &ConnectionKey, at: Millis) {
        match self {
            Self::Secret => tracing::warn!(
                connection = %key,
                expires = %at,
                "the secret of a connection expires soon: set a new one with `gatepost connection \
                 set`, or in the configuration"
            ),
            Self::Authorization => tracing::warn!(
                connection = %key,
                expires = %at,
                "the authorization of a connection expires soon: run `gatepost connection \
                 authorize`"
            ),
        }
    }
}

/// Returns true if a time is less than 30 days away, or past, so that operators are warned.
pub fn is_soon(at: Millis, now: Millis) -> bool {
    at <= now + WARNED
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
