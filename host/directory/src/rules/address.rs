//! Rules of support addresses.

use gatepost_message::{Address, Domain, Millis};

use super::{RuleResult, account, unknown};
use crate::{
    AccountId, AddressDetails, Canonical, ConnectorId, DirectoryChange, DirectoryRow, Limits, Name,
    Refusal, RowKey, SupportAddress, View,
};

/// Adds an address in a domain of the account, if it belongs to no account yet.
pub(crate) fn add(
    view: &View,
    limits: &Limits,
    id: AccountId,
    address: Address,
    brand: Option<Name>,
    now: Millis,
) -> RuleResult<SupportAddress> {
    let holdings = account(view, id)?;
    let (domain, connector) = place(view, id, &address)?;
    let brands = &holdings.account.profile.brands;
    if let Some(brand) = brand.as_ref().filter(|brand| !brands.contains(brand)) {
        let (account, brand) = (id, brand.clone());
        return Err(Refusal::NoBrand { account, brand });
    }
    let added = SupportAddress {
        address,
        account: id,
        connector,
        brand,
        created: now,
        details: AddressDetails::default(),
    };
    if let Some(owner) = owner(view, &added.canonical(), id) {
        let (address, kind) = (added.address, account(view, owner)?.account.profile.kind);
        return Err(match kind == holdings.account.profile.kind {
            true => Refusal::AddressTaken { address, owner },
            false => Refusal::AddressInOther {
                address,
                owner,
                kind,
            },
        });
    }
    let limit = limits.addresses_per_domain;
    if holdings.addresses(connector) >= limit {
        return Err(Refusal::TooManyAddresses { domain, limit });
    }
    Ok((
        added.clone(),
        vec![DirectoryChange::Put(DirectoryRow::Address(added))],
    ))
}

/// Removes an address of an account.
pub(crate) fn remove(view: &View, account: AccountId, address: &Address) -> RuleResult<()> {
    let canonical = Canonical::of(address);
    let mine = |of: &Canonical| view.addresses_at(of).iter().any(|of| of.account == account);
    match canonical.filter(mine) {
        Some(canonical) => {
            let key = RowKey::Address { canonical, account };
            Ok(((), vec![DirectoryChange::Remove(key)]))
        }
        None => Err(unknown("address", address)),
    }
}

/// Returns the domain of an address, and its connector where it is not the native one.
fn place(
    view: &View,
    account: AccountId,
    address: &Address,
) -> Result<(Domain, Option<ConnectorId>), Refusal> {
    let foreign = || Refusal::ForeignAddress {
        address: address.clone(),
        account,
    };
    Canonical::of(address).ok_or_else(foreign)?;
    let domain: Domain = address.domain().parse().map_err(|_| foreign())?;
    let of = view.domain(domain.as_ascii());
    let connector = match of.filter(|of| of.connector.is_none()) {
        Some(native) if native.account == account => None,
        Some(_) => return Err(foreign()),
        None => {
            let mut connectors = view.connectors(account).iter();
            let connector = connectors.find(|connector| connector.claim.domain == domain);
            Some(connector.ok_or_else(foreign)?.id)
        }
    };
    Ok((domain, connector))
}

/// Returns the account that an address already belongs to: another one that owns the domain, or
/// this account. An address under another account's mere claim belongs to nobody.
fn owner(view: &View, canonical: &Canonical, account: AccountId) -> Option<AccountId> {
    let all = view.addresses_at(canonical);
    let others = all.iter().filter(|of| of.account != account);
    let mut receiving = others.filter(|of| view.receives(of.destination()));
    let other = receiving.next().map(|of| of.account);
    other.or_else(|| {
        all.iter()
            .any(|of| of.account == account)
            .then_some(account)
    })
}
