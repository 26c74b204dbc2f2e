//! Connections of a relay: the site's, of the configuration, and customers', of the directory.

use std::collections::BTreeMap;
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
    site: ArcSwap<ActiveSite>,
    directory: Arc<Directory>,
}

/// Connections of the site, with the generation of each.
#[derive(Debug)]
struct ActiveSite {
    of: Arc<SiteConnections>,
    /// Number of the configuration since the start.
    number: u64,
    generations: BTreeMap<ConnectionName, u64>,
}

impl ActiveSite {
    /// Gives each connection its generation: another one whenever it has changed, be it in a secret
    /// alone. The number says nothing of a secret.
    fn new(of: Arc<SiteConnections>, former: Option<&Self>) -> Self {
        let number = former.map_or(0, |former| former.number + 1);
        let generation = |(name, new): (&ConnectionName, &SiteConnection)| {
            let kept = former.and_then(|former| {
                let old = former.of.connections.get(name)?;
                let generation = former.generations.get(name)?;
                (old.connection == new.connection).then_some(*generation)
            });
            let print = || new.connection.fingerprint().wrapping_add(number);
            (name.clone(), kept.unwrap_or_else(print))
        };
        let generations = of.connections.iter().map(generation).collect();
        Self {
            of,
            number,
            generations,
        }
    }

    fn found(&self, name: &ConnectionName, of: &SiteConnection) -> FoundConnection {
        FoundConnection {
            key: ConnectionKey::of_site(name.clone()),
            created: None,
            generation: self.generations.get(name).copied().unwrap_or_default(),
            connection: Arc::clone(&of.connection),
            profile: Arc::clone(&of.profile),
        }
    }
}

impl RelayConnections {
    /// Takes the connections of the site, and the directory with those of customers.
    pub fn new(site: Arc<SiteConnections>, directory: Arc<Directory>) -> Self {
        Self {
            site: ArcSwap::from_pointee(ActiveSite::new(site, None)),
            directory,
        }
    }

    /// Puts others in the place of the site's connections and profiles.
    pub fn activate(&self, site: Arc<SiteConnections>) {
        let next = ActiveSite::new(site, Some(&self.site.load()));
        self.site.store(Arc::new(next));
    }

    /// Returns the connections of the site, and the profiles.
    pub fn site(&self) -> Arc<SiteConnections> {
        Arc::clone(&self.site.load().of)
    }

    /// Returns every connection, the site's first.
    pub fn all(&self) -> Vec<FoundConnection> {
        let site = self.site.load();
        let view = self.directory.view();
        let of_site = site.of.connections.iter();
        let of_site = of_site.map(|(name, of)| site.found(name, of));
        let owned = view.all_connections().into_iter();
        of_site
            .chain(owned.map(|owned| found_owned(&site.of.profiles, owned)))
            .collect()
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
        let site = self.site.load();
        match account {
            None => {
                let (name, of) = site.of.connections.get_key_value(name)?;
                Some(site.found(name, of))
            }
            Some(account) => {
                let view = self.directory.view();
                let owned = view.connection(account.parse().ok()?, name)?;
                Some(found_owned(&site.of.profiles, owned))
            }
        }
    }

    fn serving(&self, account: &str, sender: &Address) -> Option<FoundConnection> {
        let site = self.site.load();
        let view = self.directory.view();
        let id = account.parse().ok();
        let owned = id.and_then(|id| view.connection_of(id, sender));
        let brand = id.and_then(|id| view.brand_of(id, sender));
        let of_site =
            site.of.connections.iter().filter_map(|(name, of)| {
                Some((rank(&of.connection.serves, sender, brand)?, name, of))
            });
        let of_site = of_site.max_by_key(|(rank, _, _)| *rank);
        match (owned, of_site) {
            (Some((own, _)), Some((rank, name, of))) if rank > own => Some(site.found(name, of)),
            (Some((_, owned)), _) => Some(found_owned(&site.of.profiles, owned)),
            (None, Some((_, name, of))) => Some(site.found(name, of)),
            (None, None) => None,
        }
    }
}
