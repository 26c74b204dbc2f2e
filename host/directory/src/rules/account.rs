//! Rules of accounts.

use std::sync::Arc;

use gatepost_connections::Serves;
use gatepost_message::Address;

use super::{RuleResult, account, details, endpoint, in_a_labels, unknown};
use crate::{
    Account, AccountId, DirectoryChange, DirectoryRow, EndpointScope, KeepMail, KeyOwner, Name,
    PolicySettings, Profile, ProfileChange, Refusal, Reserved, RowKey, View,
};

/// Adds an account, unless its native domain belongs to one already.
pub(crate) fn add(view: &View, reserved: &Reserved, account: Account) -> RuleResult<Account> {
    let native = &account.profile.native_domain;
    if let Some(of) = view.domain(native.as_ascii()) {
        return Err(Refusal::DomainTaken {
            domain: native.clone(),
            owner: of.account,
        });
    }
    if let Some(owner) = reserved.get(native) {
        return Err(Refusal::DomainReserved {
            domain: native.clone(),
            owner: owner.clone(),
        });
    }
    check_brands(&account.profile)?;
    let mut row = account.clone();
    row.profile.native_domain = in_a_labels(native);
    let row = DirectoryRow::Account(Arc::new(row));
    Ok((account, vec![DirectoryChange::Put(row)]))
}

/// Removes an account that owns nothing any more.
pub(crate) fn remove(view: &View, id: AccountId) -> RuleResult<()> {
    if let Some(contents) = account(view, id)?.contents() {
        let what = format!("account {id}");
        return Err(Refusal::NotEmpty { what, contents });
    }
    // Retired DKIM keys hold nothing that would be missed.
    let keys = view.dkim_keys(KeyOwner::Account(id));
    let keys = keys.map(|key| RowKey::DkimKey(key.name()));
    let holdings = account(view, id)?;
    let rows = [RowKey::Restriction(id.to_string()), RowKey::Account(id)];
    let changes = keys
        .chain(holdings.goes_with_it())
        .chain(rows)
        .map(DirectoryChange::Remove);
    Ok(((), changes.collect()))
}

/// Sets the default address of an account or of one of its brands: a support address in the native
/// domain, in whose name mail leaves whatever becomes of the customer's own domains. With `None`,
/// there is none any more.
pub(crate) fn set_default_address(
    view: &View,
    id: AccountId,
    brand: Option<Name>,
    address: Option<Address>,
) -> RuleResult<Account> {
    super::address::check_brand(view, id, brand.as_ref())?;
    if let Some(address) = &address
        && details::find_address(view, id, address)?
            .connector
            .is_some()
    {
        return Err(Refusal::DefaultNotNative(address.clone()));
    }
    details::of_account(view, id, |details| match (brand, address) {
        (None, address) => details.default_address = address,
        (Some(brand), Some(address)) => {
            details.brand_addresses.insert(brand, address);
        }
        (Some(brand), None) => {
            details.brand_addresses.remove(&brand);
        }
    })
}

/// Sets the time for which an account keeps what is known of its mail.
pub(crate) fn set_keep(view: &View, id: AccountId, keep: Option<KeepMail>) -> RuleResult<Account> {
    details::of_account(view, id, |details| details.keep = keep)
}

/// Changes the product, the time zone and the brands of an account. A brand that still has support
/// addresses, connections or an endpoint stays; its default address goes with it.
pub(crate) fn change(view: &View, id: AccountId, change: ProfileChange) -> RuleResult<Account> {
    let ProfileChange {
        product,
        time_zone,
        add_brands,
        remove_brands,
    } = change;
    let mut changed = Account::clone(&account(view, id)?.account);
    for brand in remove_brands {
        let brands = &mut changed.profile.brands;
        let Some(at) = brands.iter().position(|known| *known == brand) else {
            return Err(Refusal::NoBrand { account: id, brand });
        };
        check_unused(view, id, &brand)?;
        brands.remove(at);
        changed.details.brand_addresses.remove(&brand);
    }
    changed.profile.brands.extend(add_brands);
    changed.profile.order_brands();
    check_brands(&changed.profile)?;
    changed.profile.product = product.unwrap_or(changed.profile.product);
    changed.profile.time_zone = time_zone.unwrap_or(changed.profile.time_zone);
    let row = DirectoryRow::Account(Arc::new(changed.clone()));
    Ok((changed, vec![DirectoryChange::Put(row)]))
}

/// Checks that an account has no more brands than it may.
fn check_brands(profile: &Profile) -> Result<(), Refusal> {
    let limit = Profile::MOST_BRANDS;
    match profile.brands.len() > limit {
        true => Err(Refusal::TooManyBrands { limit }),
        false => Ok(()),
    }
}

/// Checks that no support address, no connection and no endpoint is of a brand.
fn check_unused(view: &View, id: AccountId, brand: &Name) -> Result<(), Refusal> {
    let mut addresses = view.all_addresses();
    let mut serves = view
        .connections(id)
        .flat_map(|of| of.connection.serves.iter());
    let contents = if addresses.any(|of| of.account == id && of.brand.as_ref() == Some(brand)) {
        "support addresses"
    } else if serves.any(|of| matches!(of, Serves::Brand(name) if name == brand.as_str())) {
        "connections"
    } else if endpoint::is_for(view, id, &EndpointScope::Brand(brand.clone())) {
        "an endpoint"
    } else {
        return Ok(());
    };
    let what = format!("brand {brand}");
    Err(Refusal::NotEmpty { what, contents })
}

/// Sets an account's settings for a policy, or removes them.
pub(crate) fn set_policy(
    view: &View,
    id: AccountId,
    policy: &str,
    settings: Option<PolicySettings>,
) -> RuleResult<()> {
    let found = view.account(id).ok_or_else(|| unknown("account", id))?;
    let mut account = found.clone();
    match settings {
        Some(settings) => account.policies.insert(policy.to_owned(), settings),
        None => account.policies.remove(policy),
    };
    Ok((
        (),
        vec![DirectoryChange::Put(DirectoryRow::Account(Arc::new(
            account,
        )))],
    ))
}
