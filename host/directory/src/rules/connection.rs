//! Rules of connections.

use gatepost_connections::{Connection, ConnectionName, Serves};
use gatepost_message::{Domain, Millis};

use super::{RuleResult, account, unknown};
use crate::{
    AccountId, DirectoryChange, DirectoryRow, Limits, OwnedConnection, Refusal, RowKey, Sealed,
    SealedConnection, View,
};

/// Connection that is asked for.
#[derive(Debug)]
pub(crate) struct NewConnection {
    pub(crate) account: AccountId,
    pub(crate) connection: Connection,
    pub(crate) sealed: Sealed,
    pub(crate) now: Millis,
}

/// Adds a connection, or puts it in the place of the one with its name.
pub(crate) fn set(view: &View, limits: &Limits, new: NewConnection) -> RuleResult<OwnedConnection> {
    let NewConnection {
        account: id,
        connection,
        sealed,
        now,
    } = new;
    let owned = account(view, id)?.connections();
    let before = view.connection(id, connection.name.as_str());
    let limit = limits.connections_per_account;
    if before.is_none() && owned.len() >= limit {
        return Err(Refusal::TooManyConnections { account: id, limit });
    }
    for sender in &connection.serves {
        check_sender(view, id, sender)?;
        let mut others = owned.iter().map(|other| &other.connection);
        let taken = others.find(|other| {
            other.name != connection.name && other.serves.iter().any(|theirs| same(theirs, sender))
        });
        if let Some(other) = taken {
            return Err(Refusal::ServedTwice {
                sender: sender.to_string(),
                connection: other.name.clone(),
            });
        }
    }
    let made = OwnedConnection {
        account: id,
        created: before.map_or(now, |before| before.created),
        changed: now,
        generation: before.map_or(now.0, |before| now.0.max(before.generation + 1)),
        connection: connection.into(),
    };
    let row = put(&made, sealed);
    Ok((made, vec![row]))
}

/// Removes a connection.
pub(crate) fn remove(view: &View, id: AccountId, name: &ConnectionName) -> RuleResult<()> {
    find(view, id, name)?;
    let key = RowKey::Connection {
        account: id,
        name: name.clone(),
    };
    Ok(((), vec![DirectoryChange::Remove(key)]))
}

/// Replaces the encrypted form of a connection.
pub(crate) fn reseal(
    view: &View,
    id: AccountId,
    name: &ConnectionName,
    sealed: Sealed,
) -> RuleResult<()> {
    Ok(((), vec![put(find(view, id, name)?, sealed)]))
}

/// Returns true if a connection of the account serves a whole domain.
pub(crate) fn serves_domain(view: &View, id: AccountId, domain: &Domain) -> bool {
    let owned = view.holdings(id).map_or(&[][..], |of| of.connections());
    let mut senders = owned.iter().flat_map(|owned| &owned.connection.serves);
    senders.any(|sender| match sender {
        Serves::Domain(served) => served == domain,
        Serves::Address(address) => domain.matches(address.domain()),
        Serves::Brand(_) => false,
    })
}

fn find<'a>(
    view: &'a View,
    id: AccountId,
    name: &ConnectionName,
) -> Result<&'a OwnedConnection, Refusal> {
    account(view, id)?;
    let found = view.connection(id, name.as_str());
    found.ok_or_else(|| unknown("connection", name))
}

/// Checks that a sender is the account's, and is not in its native domain: what the relay itself
/// answers for never leaves by a customer's server.
fn check_sender(view: &View, id: AccountId, sender: &Serves) -> Result<(), Refusal> {
    let foreign = || Refusal::ForeignSender {
        sender: sender.to_string(),
        account: id,
    };
    let is_connected = |domain: &Domain| {
        let mut connectors = view.connectors(id).iter();
        connectors.any(|connector| connector.claim.domain == *domain)
    };
    let fits = match sender {
        Serves::Brand(name) => {
            let account = account(view, id)?;
            let mut brands = account.account.profile.brands.iter();
            brands.any(|brand| brand.as_str() == name)
        }
        Serves::Domain(domain) => is_connected(domain),
        Serves::Address(address) => address
            .domain()
            .parse()
            .is_ok_and(|domain| is_connected(&domain)),
    };
    match fits {
        true => Ok(()),
        false => Err(foreign()),
    }
}

/// Returns true if two senders are the same.
fn same(one: &Serves, other: &Serves) -> bool {
    match (one, other) {
        (Serves::Address(one), Serves::Address(_)) => other.rank(one, None) == Some(3),
        (one, other) => one == other,
    }
}

fn put(owned: &OwnedConnection, sealed: Sealed) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Connection(Box::new(SealedConnection {
        account: owned.account,
        name: owned.connection.name.clone(),
        created: owned.created,
        changed: owned.changed,
        generation: owned.generation,
        sealed,
    })))
}
