//! Accounts of the directory: they are added, listed, shown, set up and removed.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::{
    Account, AccountKind, Directory, KeepMail, Name, PolicySettings, Profile, ProfileChange,
    SandboxSettings, TimeZone,
};
use gatepost_message::{Address, Domain};
use serde::{Deserialize, Serialize};

use crate::directory::{account, account_id, change};
use crate::error::OperationError;

/// Request to add an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddAccount {
    /// Domain that the site gives it, such as acme.desk.example.
    #[arg(long, value_name = "DOMAIN")]
    pub native_domain: Domain,
    /// Name of the product as its users know it.
    #[arg(long, value_name = "NAME")]
    pub product: Name,
    /// Kind of the account: sandbox or production.
    #[arg(long, default_value = "production")]
    #[serde(default = "production")]
    pub kind: AccountKind,
    /// Time zone by its IANA name, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    #[serde(default = "utc")]
    pub time_zone: TimeZone,
    /// Name of a brand under which it writes; may be repeated.
    #[arg(long = "brand", value_name = "NAME")]
    #[serde(default)]
    pub brands: Vec<Name>,
    /// Test user of a sandbox, an address that gets its mail; may be repeated.
    #[arg(long = "test-user", value_name = "ADDRESS")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_users: Vec<Address>,
    /// Maildir of the configuration into which all other mail of a sandbox goes.
    #[arg(long, value_name = "NAME")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maildir: Option<Name>,
}

/// Request for all accounts.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListAccounts {}

/// Request for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowAccount {
    /// Id or native domain of the account.
    pub account: String,
}

/// Request to change what an account is called. What is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChangeAccount {
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the product as its users know it.
    #[arg(long, value_name = "NAME")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Name>,
    /// Time zone by its IANA name, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZone>,
    /// Name of a brand to add; may be repeated.
    #[arg(long = "add-brand", value_name = "NAME")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_brands: Vec<Name>,
    /// Name of a brand to remove; may be repeated. One that still has support addresses, connections or
    /// an endpoint stays.
    #[arg(long = "remove-brand", value_name = "NAME")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_brands: Vec<Name>,
}

/// Request to override a policy's settings for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the policy in the configuration.
    pub policy: String,
    /// JSON object, such as '{"mode": "enhanced"}', in place of the former one; without it, the
    /// policy's own settings apply again.
    #[arg(value_parser = parse_object)]
    pub settings: Option<PolicySettings>,
}

/// Request to set the default address of an account, in whose name its mail leaves where no other is
/// proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDefaultAddress {
    /// Id or native domain of the account.
    pub account: String,
    /// Brand whose addresses leave in its name; without it, it is for all that have none.
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Name>,
    /// Support address in the native domain; without it, there is no default address any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// Request to set the time for which what is known of an account's mail is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRetention {
    /// Id or native domain of the account.
    pub account: String,
    /// Time such as 30d, from 1s to 3650d; without it, the site's times apply again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<KeepMail>,
}

/// Request to remove an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAccount {
    /// Id or native domain of the account.
    pub account: String,
}

fn production() -> AccountKind {
    AccountKind::Production
}

fn utc() -> TimeZone {
    match "UTC".parse() {
        Ok(zone) => zone,
        Err(_) => unreachable!("UTC is a time zone"),
    }
}

fn parse_object(text: &str) -> Result<PolicySettings, String> {
    serde_json::from_str(text).map_err(|error| format!("write a JSON object: {error}"))
}

/// Adds an account.
///
/// # Errors
/// Its native domain is taken, it has settings of a sandbox and is none, or the store cannot be
/// changed.
pub async fn add(directory: &Arc<Directory>, asked: AddAccount) -> Result<Account, OperationError> {
    let sandbox = SandboxSettings {
        test_users: asked.test_users,
        maildir: asked.maildir,
    };
    let profile = Profile {
        kind: asked.kind,
        product: asked.product,
        time_zone: asked.time_zone,
        native_domain: asked.native_domain,
        brands: asked.brands,
    };
    change(directory, |directory| {
        directory.add_account_with(profile, sandbox)
    })
    .await
}

/// Lists all accounts.
pub fn list(directory: &Directory, _: ListAccounts) -> Vec<Account> {
    directory.view().accounts().cloned().collect()
}

/// Shows an account.
///
/// # Errors
/// There is no such account.
pub fn show(directory: &Directory, asked: ShowAccount) -> Result<Account, OperationError> {
    Ok(account(&directory.view(), &asked.account)?.clone())
}

/// Changes what an account is called: its product, its time zone and its brands.
///
/// # Errors
/// There is no such account or brand, a brand that would go is in use, there would be too many, or the
/// store cannot be changed.
pub async fn change_profile(
    directory: &Arc<Directory>,
    asked: ChangeAccount,
) -> Result<Account, OperationError> {
    let id = account_id(&directory.view(), &asked.account)?;
    let profile = ProfileChange {
        product: asked.product,
        time_zone: asked.time_zone,
        add_brands: asked.add_brands,
        remove_brands: asked.remove_brands,
    };
    change(directory, move |directory| {
        directory.change_profile(id, profile)
    })
    .await
}

/// Sets an account's settings for a policy, in place of its former ones.
///
/// # Errors
/// There is no such account, or the store cannot be changed.
pub async fn set(directory: &Arc<Directory>, asked: SetPolicy) -> Result<Account, OperationError> {
    let id = account_id(&directory.view(), &asked.account)?;
    let SetPolicy {
        policy, settings, ..
    } = asked;
    change(directory, move |directory| {
        directory.set_policy(id, &policy, settings)
    })
    .await?;
    Ok(account(&directory.view(), &id.to_string())?.clone())
}

/// Sets the default address of an account or of one of its brands; without an address there is none
/// any more.
///
/// # Errors
/// There is no such account or brand, the address is no support address in the native domain, or the
/// store cannot be changed.
pub async fn set_default_address(
    directory: &Arc<Directory>,
    asked: SetDefaultAddress,
) -> Result<Account, OperationError> {
    let id = account_id(&directory.view(), &asked.account)?;
    let SetDefaultAddress { brand, address, .. } = asked;
    change(directory, move |directory| {
        directory.set_default_address(id, brand, address)
    })
    .await
}

/// Sets the time for which what is known of an account's mail is kept: its trace, its events, and mail
/// that has failed.
///
/// # Errors
/// There is no such account, or the store cannot be changed.
pub async fn set_retention(
    directory: &Arc<Directory>,
    asked: SetRetention,
) -> Result<Account, OperationError> {
    let id = account_id(&directory.view(), &asked.account)?;
    change(directory, move |directory| {
        directory.set_keep(id, asked.keep)
    })
    .await
}

/// Removes an account that owns nothing any more.
///
/// # Errors
/// There is no such account, it still owns something, or the store cannot be changed.
pub async fn remove(
    directory: &Arc<Directory>,
    asked: RemoveAccount,
) -> Result<(), OperationError> {
    let id = account_id(&directory.view(), &asked.account)?;
    change(directory, move |directory| directory.remove_account(id)).await
}
