//! Support addresses: addresses at which accounts receive.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::{Canonical, Directory, Name, SupportAddress};
use gatepost_message::Address;
use serde::{Deserialize, Serialize};

use crate::directory::{account_id, change, unknown};
use crate::error::OperationError;

/// Request to add a support address in the native domain or in one that is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct AddAddress {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Brand whose address it is, one of the account's.
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Name>,
    /// Support address.
    pub address: Address,
}

/// Request for support addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct ListAddresses {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
}

/// Request for the accounts that have a support address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct ShowAddress {
    /// Support address.
    pub address: Address,
}

/// Request to remove a support address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct RemoveAddress {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Support address.
    pub address: Address,
}

/// Adds a support address.
///
/// # Errors
/// There is no such account, it may not have the address, or the store cannot be changed.
pub async fn add(
    directory: &Arc<Directory>,
    asked: AddAddress,
) -> Result<SupportAddress, OperationError> {
    let account = account_id(&directory.view(), &asked.account)?;
    change(directory, move |directory| {
        directory.add_address_of_brand(account, asked.address, asked.brand)
    })
    .await
}

/// Lists support addresses, of one account or of all.
///
/// # Errors
/// There is no such account, or the store cannot be read.
pub async fn list(
    directory: &Arc<Directory>,
    asked: ListAddresses,
) -> Result<Vec<SupportAddress>, OperationError> {
    let view = directory.view();
    let account = asked.account.map(|named| account_id(&view, &named));
    let account = account.transpose()?;
    let mut addresses = change(directory, Directory::addresses).await?;
    addresses.retain(|address| account.is_none_or(|id| address.account == id));
    Ok(addresses)
}

/// Shows all accounts that have a support address. If the domain is only claimed, there may be
/// several.
///
/// # Errors
/// No account has the address, or the store cannot be read.
pub async fn show(
    directory: &Arc<Directory>,
    asked: ShowAddress,
) -> Result<Vec<SupportAddress>, OperationError> {
    let canonical = Canonical::of(&asked.address);
    let mut addresses = change(directory, Directory::addresses).await?;
    addresses.retain(|found| Canonical::of(&found.address) == canonical);
    match addresses.is_empty() {
        true => Err(unknown("address", asked.address).into()),
        false => Ok(addresses),
    }
}

/// Removes a support address.
///
/// # Errors
/// There is no such account, it has no such address, or the store cannot be changed.
pub async fn remove(
    directory: &Arc<Directory>,
    asked: RemoveAddress,
) -> Result<(), OperationError> {
    let account = account_id(&directory.view(), &asked.account)?;
    change(directory, move |directory| {
        directory.remove_address(account, &asked.address)
    })
    .await
}
