//! Rules of connectors.

use super::{RuleResult, account, connection, dkim, in_a_labels, unknown};
use crate::{
    Connector, ConnectorId, ConnectorState, DirectoryChange, DirectoryRow, Forwarders, KeyOwner,
    Limits, Refusal, RowKey, View,
};

/// Connects a domain to an account, if no account has it as its native one.
pub(crate) fn add(view: &View, limits: &Limits, connector: Connector) -> RuleResult<Connector> {
    let claim = &connector.claim;
    let holdings = account(view, claim.account)?;
    let of = view.domain(claim.domain.as_ascii());
    if let Some(native) = of.filter(|of| of.connector.is_none()) {
        return Err(Refusal::DomainTaken {
            domain: claim.domain.clone(),
            owner: native.account,
        });
    }
    let mut connected = holdings.connectors.iter();
    if connected.any(|other| other.claim.domain == claim.domain) {
        return Err(Refusal::Connected {
            account: claim.account,
            domain: claim.domain.clone(),
        });
    }
    let limit = limits.domains_per_account;
    if holdings.connectors.len() >= limit {
        return Err(Refusal::TooManyDomains {
            account: claim.account,
            limit,
        });
    }
    let mut row = connector.clone();
    row.claim.domain = in_a_labels(&claim.domain);
    Ok((connector, put(row).1))
}

/// Makes an account the owner of a domain that no other account owns.
pub(crate) fn verify(view: &View, id: ConnectorId) -> RuleResult<Connector> {
    let connector = find(view, id)?;
    let claim = &connector.claim;
    match view.domain(claim.domain.as_ascii()) {
        Some(of) if of.account != claim.account => Err(Refusal::DomainTaken {
            domain: claim.domain.clone(),
            owner: of.account,
        }),
        _ => Ok(put(in_state(connector, ConnectorState::Verified))),
    }
}

/// Disconnects a domain that the account owns.
pub(crate) fn disconnect(view: &View, id: ConnectorId) -> RuleResult<Connector> {
    match find(view, id)? {
        connector if connector.state.receives() => {
            Ok(put(in_state(connector, ConnectorState::Disconnected)))
        }
        _ => Err(Refusal::NotVerified(id)),
    }
}

/// Sets the known forwarders of a domain.
pub(crate) fn set_forwarders(
    view: &View,
    id: ConnectorId,
    forwarders: Forwarders,
) -> RuleResult<Connector> {
    Ok(put(Connector {
        forwarders,
        ..find(view, id)?.clone()
    }))
}

/// Removes a connector that has no addresses and no credentials.
pub(crate) fn remove(view: &View, id: ConnectorId) -> RuleResult<()> {
    let connector = find(view, id)?;
    let holdings = account(view, connector.claim.account)?;
    if let Some(contents) = holdings.contents_of(id) {
        let what = format!("connector {id}");
        return Err(Refusal::NotEmpty { what, contents });
    }
    let claim = &connector.claim;
    if connection::serves_domain(view, claim.account, &claim.domain) {
        let (what, contents) = (
            format!("connector {id}"),
            "a connection that serves its domain",
        );
        return Err(Refusal::NotEmpty { what, contents });
    }
    if dkim::has_keys(view, KeyOwner::Account(claim.account), &claim.domain) {
        let (what, contents) = (format!("connector {id}"), "DKIM keys of its domain");
        return Err(Refusal::NotEmpty { what, contents });
    }
    Ok(((), vec![DirectoryChange::Remove(RowKey::Connector(id))]))
}

pub(super) fn find(view: &View, id: ConnectorId) -> Result<&Connector, Refusal> {
    view.find_connector(id)
        .ok_or_else(|| unknown("connector", id))
}

fn in_state(connector: &Connector, state: ConnectorState) -> Connector {
    Connector {
        state,
        ..connector.clone()
    }
}

fn put(connector: Connector) -> (Connector, Vec<DirectoryChange>) {
    let row = DirectoryRow::Connector(Box::new(connector.clone()));
    (connector, vec![DirectoryChange::Put(row)])
}
