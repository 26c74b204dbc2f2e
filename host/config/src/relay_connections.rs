//! Connections of a relay: the site's, of the configuration, and customers', of the directory.

use std::sync::Arc;

use arc_swap::ArcSwap;
use gatepost_connections::{
    Connection, ConnectionKey, ConnectionName, Connections, FoundConnection, Profiles, rank,
};
use gatepost_directory::{Directory, OwnedConnection};
use gatepost_message::Address;

use super::{SiteConnection, SiteConnections};

/// Connections of a relay, as they are at the moment of each question.
#[derive(Debug)]
pub struct RelayConnections {
    site: ArcSwap<SiteConnections>,
    directory: Arc<Directory>,
}

impl RelayConnections {
    /// Takes the connections of the site, and the directory with those of customers.
    pub fn new(site: Arc<SiteConnections>, directory: Arc<Directory>) -> Self {
        Self {
            site: ArcSwap::new(site),
            directory,
        }
    }

    /// Puts others in the place of the site's connections and profiles.
    pub fn activate(&self, site: Arc<SiteConnections>) {
        self.site.store(site);
    }

    /// Returns the connections of the site, and the profiles.
    pub fn site(&self) -> Arc<SiteConnections> {
        self.site.load_full()
    }

    /// Returns every connection, the site's first.
    pub fn all(&self) -> Vec<FoundConnection> {
        let site = self.site();
        let view = self.directory.view();
        let of_site = site
            .connections
            .iter()
            .map(|(name, of)| found_site(name, of));
        let owned = view.all_connections().into_iter();
        of_site
            .chain(owned.map(|owned| found_owned(&site.profiles, owned)))
            .collect()
    }
}

fn found_site(name: &ConnectionName, of: &SiteConnection) -> FoundConnection {
    FoundConnection {
        key: ConnectionKey::of_site(name.clone()),
        created: None,
        generation: of.connection.fingerprint(),
        connection: Arc::clone(&of.connection),
        profile: Arc::clone(&of.profile),
    }
}

fn found_owned(profiles: &Profiles, owned: &OwnedConnection) -> FoundConnection {
    let connection: &Arc<Connection> = &owned.connection;
    let name = connection.name.clone();
    FoundConnection {
        key: ConnectionKey::of_account(owned.account.to_string(), name),
        created: Some(owned.created),
        generation: owned.generation,
        connection: Arc::clone(connection),
        profile: Arc::clone(profiles.get_or_generic(&connection.profile)),
    }
}

impl Connections for RelayConnections {
    fn find(&self, account: Option<&str>, name: &str) -> Option<FoundConnection> {
        let site = self.site();
        match account {
            None => {
                let (name, of) = site.connections.get_key_value(name)?;
                Some(found_site(name, of))
            }
            Some(account) => {
                let view = self.directory.view();
                let owned = view.connection(account.parse().ok()?, name)?;
                Some(found_owned(&site.profiles, owned))
            }
        }
    }

    fn serving(&self, account: &str, sender: &Address) -> Option<FoundConnection> {
        let site = self.site();
        let view = self.directory.view();
        let id = account.parse().ok();
        let owned = id.and_then(|id| view.connection_of(id, sender));
        let of_site = site
            .connections
            .iter()
            .filter_map(|(name, of)| Some((rank(&of.connection.serves, sender, None)?, name, of)));
        let of_site = of_site.max_by_key(|(rank, _, _)| *rank);
        match (owned, of_site) {
            (Some((own, _)), Some((rank, name, of))) if rank > own => Some(found_site(name, of)),
            (Some((_, owned)), _) => Some(found_owned(&site.profiles, owned)),
            (None, Some((_, name, of))) => Some(found_site(name, of)),
            (None, None) => None,
        }
    }
}
