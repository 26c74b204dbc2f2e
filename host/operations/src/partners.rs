//! Partner addresses of accounts: they are added, removed, listed and looked up.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::{AccountId, Directory, Partner, PartnerEntry, PartnerList, PartnerSource};
use gatepost_message::{Address, CanonicalAddress};
use serde::{Deserialize, Serialize};

use crate::directory::{account_id, account_ids, change};
use crate::error::OperationError;

/// Request to add a partner address, or a whole domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPartner {
    /// Id or native domain of the account.
    pub account: String,
    /// Entry to add.
    pub entry: PartnerEntry,
}

/// Request to remove an entry that was added or imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePartner {
    /// Id or native domain of the account.
    pub account: String,
    /// Entry to remove.
    pub entry: PartnerEntry,
}

/// Request for the addresses that accounts share by agreements, and for their lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListPartners {
    /// Id or native domain of the account; all accounts if absent.
    pub account: Option<String>,
}

/// Request for entries of a list, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEntries {
    /// Id of the list.
    pub list: u32,
    /// Last entry of the page before.
    pub after: Option<String>,
    /// Maximum number of entries.
    pub limit: usize,
}

/// Request to look an address up: is it a partner, and by which sources?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUpPartner {
    /// Id or native domain of the account.
    pub account: String,
    /// Address to look up.
    pub address: Address,
}

/// Outcome of adding an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Added {
    /// True if the entry was new.
    pub added: bool,
}

/// Outcome of removing entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Removed {
    /// Number of entries that were removed.
    pub removed: usize,
}

/// Partner addresses by agreements, and lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PartnerLists {
    /// Partner addresses by agreements.
    pub shared: Vec<Shared>,
    /// Lists of the accounts.
    pub lists: Vec<PartnerList>,
}

/// Partner address by a sharing agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Shared {
    /// Account that has the address as a partner.
    pub account: AccountId,
    /// Address at which the other account receives.
    pub address: String,
    /// Other account of the agreement.
    pub with: AccountId,
}

/// Result of looking up a partner address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LookedUp {
    /// Account that was named.
    pub account: AccountId,
    /// Address that was looked up.
    pub address: Address,
    /// Canonical form of the address.
    pub canonical: String,
    /// True if it is a partner.
    pub partner: bool,
    /// Sources by which it is one: agreements first, entries for its domain last.
    pub by: Vec<Partner>,
}

/// Adds a partner address, or a whole domain.
///
/// # Errors
/// There is no such account, the entry is its own, or the store cannot be changed.
pub async fn add(directory: &Arc<Directory>, asked: AddPartner) -> Result<Added, OperationError> {
    let account = account_id(&directory.view(), &asked.account)?;
    let added = change(directory, move |directory| {
        directory.add_partner(account, &asked.entry)
    });
    Ok(Added {
        added: added.await?,
    })
}

/// Removes an entry that was added or imported.
///
/// # Errors
/// There is no such account, it has no such entry, or the store cannot be changed.
pub async fn remove(
    directory: &Arc<Directory>,
    asked: RemovePartner,
) -> Result<Removed, OperationError> {
    let account = account_id(&directory.view(), &asked.account)?;
    change(directory, move |directory| {
        directory.remove_partner(account, &asked.entry)
    })
    .await?;
    Ok(Removed { removed: 1 })
}

/// Removes a list with all its entries.
pub(crate) async fn remove_list(
    directory: &Arc<Directory>,
    account: &str,
    list: PartnerSource,
) -> Result<Removed, OperationError> {
    let account = account_id(&directory.view(), account)?;
    let removed = change(directory, move |directory| {
        directory.remove_partner_list(account, &list)
    });
    Ok(Removed {
        removed: removed.await?,
    })
}

/// Lists the addresses that accounts share by agreements, and their lists.
///
/// # Errors
/// There is no such account.
pub fn list(directory: &Directory, asked: ListPartners) -> Result<PartnerLists, OperationError> {
    let view = directory.view();
    let accounts = account_ids(&view, asked.account.as_deref())?;
    let lists = view.partner_lists();
    let lists = lists.filter(|list| asked.account.is_none() || accounts.contains(&list.account));
    let shared = accounts.iter().flat_map(|account| {
        let shared = view.shared_with(*account).into_iter();
        shared.map(move |(address, with): (&CanonicalAddress, _)| Shared {
            account: *account,
            address: address.to_string(),
            with,
        })
    });
    Ok(PartnerLists {
        shared: shared.collect(),
        lists: lists.cloned().collect(),
    })
}

/// Lists entries of a list, in the order of their texts.
///
/// # Errors
/// The store cannot be read.
pub async fn entries(
    directory: &Arc<Directory>,
    asked: ListEntries,
) -> Result<Vec<PartnerEntry>, OperationError> {
    let ListEntries { list, after, limit } = asked;
    change(directory, move |directory| {
        directory.partner_entries(list, after.as_deref(), limit)
    })
    .await
}

/// Looks up, in memory, whether an address is a partner of an account.
///
/// # Errors
/// There is no such account.
pub fn look_up(directory: &Directory, asked: LookUpPartner) -> Result<LookedUp, OperationError> {
    let view = directory.view();
    let account = account_id(&view, &asked.account)?;
    let by = view.partners(account, &asked.address);
    Ok(LookedUp {
        account,
        canonical: view.canonical(&asked.address).to_string(),
        address: asked.address,
        partner: !by.is_empty(),
        by,
    })
}
