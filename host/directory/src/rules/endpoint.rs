//! Rules of endpoints of accounts.

use gatepost_message::Millis;

use super::{RuleResult, account, address::check_brand, details, unknown};
use crate::{
    AccountEndpoint, AccountId, Canonical, DirectoryChange, DirectoryRow, EndpointName,
    EndpointScope, EndpointSettings, MAX_ENDPOINTS, Refusal, RowKey, Sealed, SealedEndpoint, View,
};

/// Endpoint that is asked for.
#[derive(Debug)]
pub(crate) struct NewEndpoint {
    pub(crate) account: AccountId,
    pub(crate) name: EndpointName,
    pub(crate) scope: EndpointScope,
    pub(crate) settings: EndpointSettings,
    pub(crate) sealed: Sealed,
    pub(crate) now: Millis,
}

/// Adds an endpoint, or puts it in the place of the one with its name.
pub(crate) fn set(view: &View, new: NewEndpoint) -> RuleResult<AccountEndpoint> {
    let NewEndpoint {
        account: id,
        name,
        scope,
        settings,
        sealed,
        now,
    } = new;
    account(view, id)?;
    let before = view.endpoint(id, name.as_str());
    let limit = MAX_ENDPOINTS;
    if before.is_none() && view.endpoints(id).count() >= limit {
        return Err(Refusal::TooManyEndpoints { account: id, limit });
    }
    match &scope {
        EndpointScope::Account => {}
        EndpointScope::Brand(brand) => check_brand(view, id, Some(brand))?,
        EndpointScope::Address(address) => {
            details::find_address(view, id, address)?;
        }
    }
    let mut others = view.endpoints(id).filter(|of| of.name != name);
    if let Some(other) = others.find(|of| same(&of.scope, &scope)) {
        return Err(Refusal::EndpointTwice {
            scope,
            endpoint: other.name.clone(),
        });
    }
    let made = AccountEndpoint {
        account: id,
        name,
        scope,
        created: before.map_or(now, |before| before.created),
        changed: now,
        generation: before.map_or(now.0, |before| now.0.max(before.generation + 1)),
        settings: settings.into(),
    };
    let row = put(&made, sealed);
    Ok((made, vec![row]))
}

/// Removes an endpoint.
pub(crate) fn remove(view: &View, id: AccountId, name: &EndpointName) -> RuleResult<()> {
    find(view, id, name)?;
    let key = RowKey::Endpoint {
        account: id,
        name: name.clone(),
    };
    Ok(((), vec![DirectoryChange::Remove(key)]))
}

/// Replaces the encrypted form of an endpoint.
pub(crate) fn reseal(
    view: &View,
    id: AccountId,
    name: &EndpointName,
    sealed: Sealed,
) -> RuleResult<()> {
    Ok(((), vec![put(find(view, id, name)?, sealed)]))
}

/// Returns true if an endpoint is for exactly these recipients.
pub(crate) fn is_for(view: &View, id: AccountId, scope: &EndpointScope) -> bool {
    view.endpoints(id).any(|of| same(&of.scope, scope))
}

fn find<'a>(
    view: &'a View,
    id: AccountId,
    name: &EndpointName,
) -> Result<&'a AccountEndpoint, Refusal> {
    account(view, id)?;
    let found = view.endpoint(id, name.as_str());
    found.ok_or_else(|| unknown("endpoint", name))
}

/// Returns true if two scopes are the same recipients.
fn same(one: &EndpointScope, other: &EndpointScope) -> bool {
    match (one, other) {
        (EndpointScope::Address(one), EndpointScope::Address(other)) => {
            Canonical::of(one) == Canonical::of(other)
        }
        (one, other) => one == other,
    }
}

fn put(endpoint: &AccountEndpoint, sealed: Sealed) -> DirectoryChange {
    DirectoryChange::Put(DirectoryRow::Endpoint(Box::new(SealedEndpoint {
        account: endpoint.account,
        name: endpoint.name.clone(),
        created: endpoint.created,
        changed: endpoint.changed,
        generation: endpoint.generation,
        sealed,
    })))
}
