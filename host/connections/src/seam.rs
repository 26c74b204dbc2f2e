//! The seam by which delivery finds connections, wherever they are kept.

use std::fmt::Debug;
use std::sync::Arc;

use gatepost_message::{Address, Millis};

use crate::{Connection, ConnectionKey, Profile, Serves, StandingTerms};

/// Connection as it was found.
#[derive(Debug, Clone)]
pub struct FoundConnection {
    /// Its key.
    pub key: ConnectionKey,
    /// The connection.
    pub connection: Arc<Connection>,
    /// Its profile.
    pub profile: Arc<Profile>,
    /// Time of its creation; none for the site's. One that is removed and made again is another.
    pub created: Option<Millis>,
    /// Number that changes with each change of it. A route stands on it.
    pub generation: u64,
}

impl FoundConnection {
    /// Returns the terms by which its replies are read, and by which it is probed.
    pub fn terms(&self) -> StandingTerms<'_> {
        StandingTerms {
            profile: &self.profile,
            probe: self.connection.probe.as_deref().unwrap_or_default(),
        }
    }
}

/// Connections of a relay: the site's and the customers'.
pub trait Connections: Debug + Send + Sync {
    /// Returns the connection of exactly this owner; none for the site.
    fn find(&self, account: Option<&str>, name: &str) -> Option<FoundConnection>;

    /// Returns the connection through which mail of this sender leaves: of the account or of the
    /// site, the most specific one. Of two that are equally specific, the account's goes first.
    fn serving(&self, account: &str, sender: &Address) -> Option<FoundConnection>;

    /// Returns the connection that a policy means by a name: the account's own, else the site's.
    fn named(&self, account: Option<&str>, name: &str) -> Option<FoundConnection> {
        let own = account.and_then(|account| self.find(Some(account), name));
        own.or_else(|| self.find(None, name))
    }
}

/// Returns how specific a connection is for a sender; `None` if it does not serve it.
pub fn rank(serves: &[Serves], sender: &Address, brand: Option<&str>) -> Option<u8> {
    serves
        .iter()
        .filter_map(|one| one.rank(sender, brand))
        .max()
}
