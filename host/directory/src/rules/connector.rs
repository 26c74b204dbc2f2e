//! Rules of connectors.

use gatepost_message::{Domain, Millis};

use super::{RuleResult, account, connection, dkim, in_a_labels, sandbox, unknown};
use crate::{
    AuditEntry, Connector, ConnectorId, ConnectorKind, ConnectorState, DirectoryChange,
    DirectoryRow, Disconnection, ForwarderMark, Forwarders, KeyOwner, Limits, QueuedMail, Refusal,
    RowKey, Verification, View,
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
    let mut connector = connector;
    // Nothing has proved yet that its mail goes its way.
    connector.details.verifies = true;
    let mut row = connector.clone();
    row.claim.domain = in_a_labels(&row.claim.domain);
    Ok((connector, put(row).1))
}

/// Has the addresses of a domain leave in their own names only by a way that is proved. Those that
/// leave by a connection today go on doing so until its server refuses a verification.
pub(crate) fn begin_verification(
    view: &View,
    id: ConnectorId,
    now: Millis,
) -> RuleResult<Connector> {
    let mut connector = find(view, id)?.clone();
    if connector.details.verifies {
        return Ok((connector, Vec::new()));
    }
    connector.details.verifies = true;
    let addresses = view.addresses().into_iter();
    let own = addresses.filter(|of| of.connector == Some(id));
    let unproved = own.filter(|of| {
        of.details.outbound_proved.is_none() && of.details.outbound == Verification::Unverified
    });
    let rows = unproved.map(|mut address| {
        address.details.outbound_proved = Some(now);
        DirectoryChange::Put(DirectoryRow::Address(Box::new(address)))
    });
    let mut changes: Vec<_> = rows.collect();
    let (connector, row) = put(connector);
    changes.extend(row);
    Ok((connector, changes))
}

/// Sets the direction of the mail of a domain that passes through the relay. Its addresses leave
/// only by ways that are proved from now on; its credentials and its forwarding targets go on
/// working, so that mail which comes by the former way is taken.
pub(crate) fn set_kind(
    view: &View,
    id: ConnectorId,
    kind: ConnectorKind,
    now: Millis,
) -> RuleResult<Connector> {
    let before = find(view, id)?;
    if before.claim.kind == kind {
        return Ok((before.clone(), Vec::new()));
    }
    let (mut connector, changes) = begin_verification(view, id, now)?;
    let of_addresses =
        |change: &DirectoryChange| matches!(change, DirectoryChange::Put(DirectoryRow::Address(_)));
    let mut changes: Vec<_> = changes.into_iter().filter(of_addresses).collect();
    connector.claim.kind = kind;
    let (connector, row) = put(connector);
    changes.extend(row);
    Ok((connector, changes))
}

/// Learns marks by which a forwarder of a domain is known, and notes in the audit log those that
/// are new. A domain that the site has given to an account is no mark: the relay's own mail bears
/// it. Returns the new ones.
pub(crate) fn learn(
    view: &View,
    id: ConnectorId,
    marks: Vec<ForwarderMark>,
    entry: impl FnOnce(&[ForwarderMark]) -> AuditEntry,
) -> RuleResult<Vec<ForwarderMark>> {
    let mut connector = find(view, id)?.clone();
    let is_native = |domain: &Domain| {
        let owner = view.domain(domain.as_ascii());
        owner.is_some_and(|of| of.connector.is_none())
    };
    let mut new = Vec::new();
    for mark in marks {
        let is_ours = match &mark {
            ForwarderMark::DkimDomain(domain) | ForwarderMark::ArcSealer(domain) => {
                is_native(domain)
            }
            ForwarderMark::Network(_) => false,
        };
        if is_ours || connector.forwarders.has(&mark) {
            continue;
        }
        if connector.details.learnt_forwarders.learn(mark.clone()) {
            new.push(mark);
        }
    }
    if new.is_empty() {
        return Ok((new, Vec::new()));
    }
    let mut changes = put(connector).1;
    changes.push(DirectoryChange::Audit(entry(&new)));
    Ok((new, changes))
}

/// Forgets forwarders that were learnt: these, or with `None` all.
pub(crate) fn forget_forwarders(
    view: &View,
    id: ConnectorId,
    forgotten: Option<&Forwarders>,
) -> RuleResult<Connector> {
    let mut connector = find(view, id)?.clone();
    let learnt = &mut connector.details.learnt_forwarders;
    match forgotten {
        Some(forgotten) => learnt.forget(forgotten),
        None => *learnt = Forwarders::default(),
    }
    Ok(put(connector))
}

/// Makes an account the owner of a domain that no other account owns.
pub(crate) fn verify(view: &View, id: ConnectorId) -> RuleResult<Connector> {
    let connector = find(view, id)?;
    let claim = &connector.claim;
    match view.domain(claim.domain.as_ascii()) {
        Some(of) if of.account != claim.account => {
            let kind = account(view, claim.account)?.account.profile.kind;
            let clash = sandbox::clash(view, kind, of.account, &claim.domain);
            Err(clash.unwrap_or_else(|| Refusal::DomainTaken {
                domain: claim.domain.clone(),
                owner: of.account,
            }))
        }
        _ => Ok(put(connected(connector))),
    }
}

/// Makes an account the owner of a domain, and vouches for the way out of its addresses through the
/// customer's own server.
pub(crate) fn vouch_outbound(view: &View, id: ConnectorId, now: Millis) -> RuleResult<Connector> {
    let (mut connector, _) = verify(view, id)?;
    if connector.claim.kind == ConnectorKind::Forwarded {
        return Err(Refusal::NoSmartHost(id));
    }
    connector.details.outbound_vouched = Some(now);
    Ok(put(connector))
}

/// Takes the operator's word for a way out back. Only what a verification proves counts from now on,
/// also for a connector that never was taken through one.
pub(crate) fn withdraw_outbound(view: &View, id: ConnectorId) -> RuleResult<Connector> {
    let mut connector = find(view, id)?.clone();
    connector.details.outbound_vouched = None;
    connector.details.verifies = true;
    Ok(put(connector))
}

/// Disconnects a domain that the account owns. One that is disconnected already keeps the time.
pub(crate) fn disconnect(
    view: &View,
    id: ConnectorId,
    queued: QueuedMail,
    now: Millis,
) -> RuleResult<Connector> {
    let mut changed = owned(view, id)?.clone();
    let at = changed.details.disconnected.map_or(now, |before| before.at);
    changed.details.disconnected = Some(Disconnection { at, queued });
    changed.state = ConnectorState::Disconnected;
    Ok(put(changed))
}

/// Connects a domain again that the account owns.
pub(crate) fn reconnect(view: &View, id: ConnectorId) -> RuleResult<Connector> {
    Ok(put(connected(owned(view, id)?)))
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

/// Sets the domain of the reverse-paths of the domain's mail by MX, a name below it of which nobody
/// else has anything; `None` takes it back.
pub(crate) fn set_return_path(
    view: &View,
    id: ConnectorId,
    return_path: Option<Domain>,
) -> RuleResult<Connector> {
    let mut connector = find(view, id)?.clone();
    let return_path = return_path.map(|domain| in_a_labels(&domain));
    if let Some(domain) = &return_path {
        if connector.state != ConnectorState::Verified {
            return Err(Refusal::NotOwned(id));
        }
        let owner = connector.claim.domain.as_ascii();
        let above = domain.as_ascii().strip_suffix(owner);
        if !above.is_some_and(|above| above.ends_with('.')) {
            return Err(Refusal::ForeignReturnPath {
                domain: domain.clone(),
                of: connector.claim.domain.clone(),
            });
        }
        let mailboxes = view.domain(domain.as_ascii()).map(|of| of.account);
        let reports = view
            .connector_of_return_path(domain.as_ascii())
            .filter(|of| *of != id);
        let reports = reports.and_then(|of| Some(view.find_connector(of)?.claim.account));
        if let Some(owner) = mailboxes.or(reports) {
            let domain = domain.clone();
            return Err(Refusal::DomainTaken { domain, owner });
        }
    }
    connector.details.return_path = return_path;
    Ok(put(connector))
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
    // Removed credentials hold nothing that would be missed.
    let removed = holdings.removed_credentials().filter(|user| {
        let known = view.credential(user.as_str());
        known.is_some_and(|known| known.credential.scope.connector() == Some(id))
    });
    let removed = removed.cloned().map(RowKey::Credential);
    let keys = removed.chain([RowKey::Connector(id)]);
    Ok(((), keys.map(DirectoryChange::Remove).collect()))
}

pub(super) fn find(view: &View, id: ConnectorId) -> Result<&Connector, Refusal> {
    view.find_connector(id)
        .ok_or_else(|| unknown("connector", id))
}

/// Finds a connector whose domain is or was verified.
fn owned(view: &View, id: ConnectorId) -> Result<&Connector, Refusal> {
    let found = find(view, id)?;
    match found.state.receives() {
        true => Ok(found),
        false => Err(Refusal::NotVerified(id)),
    }
}

fn connected(connector: &Connector) -> Connector {
    let mut connected = connector.clone();
    connected.state = ConnectorState::Verified;
    connected.details.disconnected = None;
    connected
}

fn put(connector: Connector) -> (Connector, Vec<DirectoryChange>) {
    let row = DirectoryRow::Connector(Box::new(connector.clone()));
    (connector, vec![DirectoryChange::Put(row)])
}
