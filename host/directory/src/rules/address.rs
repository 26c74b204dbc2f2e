//! Rules of support addresses.

use std::collections::HashMap;

use gatepost_message::{Address, Domain, Millis};

use super::{RuleResult, account, details, endpoint, unknown};
use crate::{
    AccountId, AddressDetails, Canonical, ConnectorId, DirectoryChange, DirectoryError,
    DirectoryRow, EndpointScope, ForwardingToken, LeavesFromDefault, Limits, Name, Refusal, RowKey,
    SupportAddress, View,
    uses::{AddressKey, Departures},
};

/// Address that is asked for.
#[derive(Debug)]
pub(crate) struct NewAddress {
    pub(crate) account: AccountId,
    pub(crate) address: Address,
    pub(crate) brand: Option<Name>,
    /// Token of its forwarding target, if it is in a connected domain.
    pub(crate) token: ForwardingToken,
    pub(crate) created: Millis,
}

/// Adds an address in a domain of the account, if it belongs to no account yet.
pub(crate) fn add(view: &View, limits: &Limits, new: NewAddress) -> RuleResult<SupportAddress> {
    let NewAddress {
        account: id,
        address,
        brand,
        ..
    } = new;
    let holdings = account(view, id)?;
    let (domain, connector) = place(view, id, &address)?;
    check_brand(view, id, brand.as_ref())?;
    let added = SupportAddress {
        address,
        account: id,
        connector,
        brand,
        created: new.created,
        details: AddressDetails {
            forwarding: connector.map(|_| new.token),
            ..AddressDetails::default()
        },
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
    if connector.is_some() && holdings.addresses(connector) >= limit {
        return Err(Refusal::TooManyAddresses { domain, limit });
    }
    Ok((
        added.clone(),
        vec![DirectoryChange::Put(DirectoryRow::Address(Box::new(added)))],
    ))
}

/// Sets the brand of an address; with `None`, it has none.
pub(crate) fn set_brand(
    view: &View,
    id: AccountId,
    address: &Address,
    brand: Option<Name>,
) -> RuleResult<SupportAddress> {
    check_brand(view, id, brand.as_ref())?;
    let mut changed = details::find_address(view, id, address)?.clone();
    changed.brand = brand;
    let row = DirectoryRow::Address(Box::new(changed.clone()));
    Ok((changed, vec![DirectoryChange::Put(row)]))
}

/// Checks that an account has a brand.
pub(super) fn check_brand(view: &View, id: AccountId, brand: Option<&Name>) -> Result<(), Refusal> {
    let brands = &account(view, id)?.account.profile.brands;
    match brand.filter(|brand| !brands.contains(brand)) {
        Some(brand) => Err(Refusal::NoBrand {
            account: id,
            brand: brand.clone(),
        }),
        None => Ok(()),
    }
}

/// Removes an address of an account that is nobody's default address and has no endpoint of its own.
pub(crate) fn remove(view: &View, id: AccountId, address: &Address) -> RuleResult<()> {
    let canonical = Canonical::of(address);
    let mine = |of: &Canonical| view.addresses_at(of).iter().any(|of| of.account == id);
    let Some(canonical) = canonical.filter(mine) else {
        return Err(unknown("address", address));
    };
    let details = &account(view, id)?.account.details;
    let mut defaults = (details.brand_addresses.values()).chain(&details.default_address);
    if defaults.any(|default| Canonical::of(default).as_ref() == Some(&canonical)) {
        return Err(Refusal::DefaultAddress {
            address: address.clone(),
            account: id,
        });
    }
    if endpoint::is_for(view, id, &EndpointScope::Address(address.clone())) {
        let (what, contents) = (format!("address {address}"), "an endpoint");
        return Err(Refusal::NotEmpty { what, contents });
    }
    let key = RowKey::Address {
        canonical,
        account: id,
    };
    Ok(((), vec![DirectoryChange::Remove(key)]))
}

/// Gives a forwarding target to each address in a connected domain that has none.
pub(crate) fn give_targets(
    view: &View,
    token: impl Fn() -> Result<ForwardingToken, DirectoryError>,
) -> Result<((), Vec<DirectoryChange>), DirectoryError> {
    let without = view.addresses().into_iter();
    let without = without.filter(|of| of.connector.is_some() && of.details.forwarding.is_none());
    let given = without.map(|mut address| {
        address.details.forwarding = Some(token()?);
        Ok(DirectoryChange::Put(DirectoryRow::Address(Box::new(
            address,
        ))))
    });
    Ok(((), given.collect::<Result<_, DirectoryError>>()?))
}

/// Records the names in which messages left. Addresses that are gone are left out.
pub(crate) fn record_departures(
    view: &View,
    departed: &HashMap<AddressKey, Departures>,
) -> Vec<DirectoryChange> {
    let changed = departed.iter().filter_map(|(key, departures)| {
        let mut row = details::find_canonical(view, key.account, &key.canonical)?.clone();
        let before = row.details.leaves_from_default;
        row.details.leaves_from_default = match *departures {
            Departures::InOwnName => None,
            Departures::FromDefault(new) => Some(LeavesFromDefault {
                since: before.map_or(new.since, |before| before.since),
                messages: before.map_or(0, |before| before.messages) + new.messages,
                reason: new.reason,
            }),
        };
        let is_changed = row.details.leaves_from_default != before;
        is_changed.then_some(DirectoryChange::Put(DirectoryRow::Address(Box::new(row))))
    });
    changed.collect()
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
