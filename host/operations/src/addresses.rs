//! Support addresses: addresses at which accounts receive.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::{
    Canonical, ConnectorState, Directory, Name, OutboundWay, SupportAddress, View,
};
use gatepost_message::Address;
use serde::{Deserialize, Serialize};

use crate::directory::{account_id, change, unknown};
use crate::error::OperationError;

/// Request to add a support address in the native domain or in one that is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
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
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListAddresses {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
}

/// Request for the accounts that have a support address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowAddress {
    /// Only that of this account, by its id or native domain.
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Support address.
    pub address: Address,
}

/// Request to set the brand of a support address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAddressBrand {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Support address.
    pub address: Address,
    /// Brand whose address it is, one of the account's; without it, the address has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Name>,
}

/// Request to remove a support address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAddress {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Support address.
    pub address: Address,
}

/// Support address as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ShownAddress {
    /// Support address.
    #[serde(flatten)]
    pub address: SupportAddress,
    /// Forwarding target, if it is in a connected domain: the address in the native domain to which
    /// the customer's server forwards its mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarding_target: Option<Address>,
    /// Way by which its mail leaves; none where nothing is asked of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_out: Option<OutboundWay>,
    /// True if its domain is only claimed: no mail of it is taken yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_claimed: bool,
}

impl ShownAddress {
    fn new(view: &View, address: SupportAddress) -> Self {
        Self {
            forwarding_target: view.target_of(&address),
            way_out: view.outbound_way(address.account, &address.address),
            only_claimed: address.connector.is_some_and(|id| {
                let found = view.find_connector(id);
                found.is_some_and(|of| of.state == ConnectorState::Claimed)
            }),
            address,
        }
    }
}

/// Adds a support address.
///
/// # Errors
/// There is no such account, it may not have the address, or the store cannot be changed.
pub async fn add(
    directory: &Arc<Directory>,
    asked: AddAddress,
) -> Result<ShownAddress, OperationError> {
    let account = account_id(&directory.view(), &asked.account)?;
    let added = change(directory, move |directory| {
        directory.add_address_of_brand(account, asked.address, asked.brand)
    });
    Ok(ShownAddress::new(&directory.view(), added.await?))
}

/// Lists support addresses, of one account or of all.
///
/// # Errors
/// There is no such account, or the store cannot be read.
pub async fn list(
    directory: &Arc<Directory>,
    asked: ListAddresses,
) -> Result<Vec<ShownAddress>, OperationError> {
    let view = directory.view();
    let account = asked.account.map(|named| account_id(&view, &named));
    let account = account.transpose()?;
    let is_asked = |address: &SupportAddress| account.is_none_or(|id| address.account == id);
    shown(directory, is_asked).await
}

async fn shown(
    directory: &Arc<Directory>,
    is_asked: impl Fn(&SupportAddress) -> bool,
) -> Result<Vec<ShownAddress>, OperationError> {
    let addresses = change(directory, Directory::addresses).await?;
    let view = directory.view();
    let asked = addresses.into_iter().filter(is_asked);
    Ok(asked
        .map(|address| ShownAddress::new(&view, address))
        .collect())
}

/// Shows all accounts that have a support address, or the one that is named. If the domain is only
/// claimed, there may be several.
///
/// # Errors
/// There is no such account, no account has the address, or the store cannot be read.
pub async fn show(
    directory: &Arc<Directory>,
    asked: ShowAddress,
) -> Result<Vec<ShownAddress>, OperationError> {
    let view = directory.view();
    // A forwarding target shows the address behind it.
    let behind = view.target(&asked.address).map(|of| &of.address);
    let canonical = Canonical::of(behind.unwrap_or(&asked.address));
    let account = asked.account.map(|named| account_id(&view, &named));
    let account = account.transpose()?;
    let is_asked = |found: &SupportAddress| {
        Canonical::of(&found.address) == canonical && account.is_none_or(|id| found.account == id)
    };
    let addresses = shown(directory, is_asked).await?;
    match addresses.is_empty() {
        true => Err(unknown("address", asked.address).into()),
        false => Ok(addresses),
    }
}

/// Sets the brand of a support address.
///
/// # Errors
/// There is no such account, it has no such address or brand, or the store cannot be changed.
pub async fn set_brand(
    directory: &Arc<Directory>,
    asked: SetAddressBrand,
) -> Result<ShownAddress, OperationError> {
    let account = account_id(&directory.view(), &asked.account)?;
    let SetAddressBrand { address, brand, .. } = asked;
    let changed = change(directory, move |directory| {
        directory.set_address_brand(account, &address, brand)
    });
    Ok(ShownAddress::new(&directory.view(), changed.await?))
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
