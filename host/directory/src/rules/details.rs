//! Rules of the data that the relay itself keeps of accounts and addresses, and of what goes with
//! an account: probes and the audit log.

use std::sync::Arc;

use gatepost_message::Address;

use super::{RuleResult, account, unknown};
use crate::{
    Account, AccountDetails, AccountId, AddressDetails, AuditEntry, Canonical, DirectoryChange,
    DirectoryRow, Probe, ProbeId, Refusal, RowKey, SupportAddress, View,
};

/// Changes what the relay keeps of an account.
pub(crate) fn of_account(
    view: &View,
    id: AccountId,
    change: impl FnOnce(&mut AccountDetails),
) -> RuleResult<Account> {
    let mut changed = Account::clone(&account(view, id)?.account);
    change(&mut changed.details);
    let row = DirectoryRow::Account(Arc::new(changed.clone()));
    Ok((changed, vec![DirectoryChange::Put(row)]))
}

/// Changes what the relay keeps of a support address.
pub(crate) fn of_address(
    view: &View,
    account: AccountId,
    address: &Address,
    change: impl FnOnce(&mut AddressDetails),
) -> RuleResult<SupportAddress> {
    let mut changed = find_address(view, account, address)?.clone();
    let outbound = changed.details.outbound.clone();
    change(&mut changed.details);
    changed.details.note_outbound(&outbound);
    let row = DirectoryRow::Address(Box::new(changed.clone()));
    Ok((changed, vec![DirectoryChange::Put(row)]))
}

/// Takes a probe away and returns it; `None` if it was taken before.
fn take_probe(view: &View, id: &ProbeId) -> RuleResult<Option<Probe>> {
    let taken = view.probe(id).cloned();
    let key = taken.as_ref().map(|of| RowKey::Probe(of.id.clone()));
    Ok((
        taken,
        key.map(DirectoryChange::Remove).into_iter().collect(),
    ))
}

/// Begins a probe in place of the one of its kind that is on its way for the address.
pub(crate) fn begin_probe(
    view: &View,
    probe: Probe,
    change: impl FnOnce(&mut AddressDetails),
) -> RuleResult<()> {
    let (address, mut changes) = of_address(view, probe.account, &probe.address, change)?;
    let canonical = address.canonical();
    let is_former = |of: &&Probe| {
        of.account == probe.account
            && of.kind == probe.kind
            && Canonical::as_compared(&of.address) == canonical
    };
    let former = view.probes().filter(is_former);
    changes.extend(former.map(|of| DirectoryChange::Remove(RowKey::Probe(of.id.clone()))));
    let row = DirectoryRow::Probe(Box::new(probe));
    changes.push(DirectoryChange::Put(row));
    Ok(((), changes))
}

/// Changes the record of a probe, if it is still on its way.
pub(crate) fn change_probe(
    view: &View,
    id: &ProbeId,
    change: impl FnOnce(&mut Probe),
) -> RuleResult<()> {
    let Some(mut probe) = view.probe(id).cloned() else {
        return Ok(((), Vec::new()));
    };
    change(&mut probe);
    let row = DirectoryRow::Probe(Box::new(probe));
    Ok(((), vec![DirectoryChange::Put(row)]))
}

/// Takes a probe away with its finding. Nothing is found of an address that is gone.
pub(crate) fn settle_probe(
    view: &View,
    id: &ProbeId,
    change: impl FnOnce(&Probe, &mut AddressDetails) -> Option<AuditEntry>,
) -> RuleResult<Option<Probe>> {
    let (taken, mut changes) = take_probe(view, id)?;
    let Some(probe) = &taken else {
        return Ok((None, changes));
    };
    let mut entry = None;
    let noted = |details: &mut AddressDetails| entry = change(probe, details);
    if let Ok((_, noted)) = of_address(view, probe.account, &probe.address, noted) {
        changes.extend(noted);
        changes.extend(entry.map(DirectoryChange::Audit));
    }
    Ok((taken, changes))
}

/// Adds an entry to the audit log.
pub(crate) fn audit(entry: AuditEntry) -> RuleResult<()> {
    Ok(((), vec![DirectoryChange::Audit(entry)]))
}

pub(super) fn find_address<'a>(
    view: &'a View,
    account: AccountId,
    address: &Address,
) -> Result<&'a SupportAddress, Refusal> {
    let found = find_canonical(view, account, &Canonical::as_compared(address));
    found.ok_or_else(|| unknown("address", address))
}

pub(super) fn find_canonical<'a>(
    view: &'a View,
    account: AccountId,
    canonical: &Canonical,
) -> Option<&'a SupportAddress> {
    let mut all = view.addresses_at(canonical).iter();
    all.find(|of| of.account == account)
}
