//! Credentials of those who hand in mail, and the keys that encrypt them.

use std::convert::Infallible;
use std::sync::Arc;

use clap::Args;
use gatepost_directory::{ConnectorId, Credential, Directory, Grant, Issued, UserName};
use gatepost_volume::Used;
use serde::{Deserialize, Serialize};

use crate::directory::{account_id, change, unknown};
use crate::error::OperationError;
use crate::restrictions::accepted_with;
use crate::runtime::Runtime;

/// Request to issue a credential for relay from a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueInbound {
    /// Two-way connector of the domain.
    pub connector: ConnectorId,
    /// True if it gets the account's alias.
    #[serde(default)]
    pub alias: bool,
}

/// Request to issue a credential for submission by an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueSubmission {
    /// Id or native domain of the account.
    pub account: String,
    /// True if it gets the account's alias.
    #[serde(default)]
    pub alias: bool,
}

/// Request for credentials, revoked ones too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct ListCredentials {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
}

macro_rules! of_one_credential {
    ($($(#[$doc:meta])* $request:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args)]
            #[serde(deny_unknown_fields, rename_all = "kebab-case")]
            pub struct $request {
                /// User name of the credential.
                #[arg(value_parser = parse_user_name)]
                pub user_name: UserName,
            }
        )*
    };
}

of_one_credential! {
    /// Request for a credential.
    ShowCredential
    /// Request to revoke a credential.
    RevokeCredential
    /// Request to delete a credential, live or revoked.
    RemoveCredential
}

pub(crate) fn parse_user_name(text: &str) -> Result<UserName, Infallible> {
    Ok(UserName::new(text))
}

/// Request to encrypt everything with a new key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct Rekey {}

/// Credential, with what was accepted from those who logged in with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialDetails {
    /// Credential without its secret.
    #[serde(flatten)]
    pub credential: Credential,
    /// Messages and recipients that were accepted.
    pub accepted: Used,
}

/// Outcome of a rekey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rekeyed {
    /// Number of values that were encrypted with the new key.
    pub rekeyed: usize,
}

/// Issues a credential for relay from a domain. Its secret is shown this once.
///
/// # Errors
/// There is no such connector, no credential may be issued for it, or the store cannot be changed.
pub async fn issue_inbound(
    directory: &Arc<Directory>,
    asked: IssueInbound,
) -> Result<Issued, OperationError> {
    let IssueInbound { connector, alias } = asked;
    let grant = Grant::Inbound { connector };
    change(directory, move |directory| directory.issue(grant, alias)).await
}

/// Issues a credential for submission. Its secret is shown this once.
///
/// # Errors
/// There is no such account, no credential may be issued for it, or the store cannot be changed.
pub async fn issue_submission(
    directory: &Arc<Directory>,
    asked: IssueSubmission,
) -> Result<Issued, OperationError> {
    let IssueSubmission { account, alias } = asked;
    let account = account_id(&directory.view(), &account)?;
    let grant = Grant::Submission { account };
    change(directory, move |directory| directory.issue(grant, alias)).await
}

/// Lists credentials, of one account or of all.
///
/// # Errors
/// There is no such account, or the store cannot be read.
pub async fn list(
    directory: &Arc<Directory>,
    asked: ListCredentials,
) -> Result<Vec<Credential>, OperationError> {
    let view = directory.view();
    let account = asked.account.map(|named| account_id(&view, &named));
    let account = account.transpose()?;
    let mut credentials = change(directory, Directory::credentials).await?;
    credentials.retain(|credential| account.is_none_or(|id| credential.account == id));
    Ok(credentials)
}

/// Shows a credential, and what was accepted with it.
///
/// # Errors
/// There is no such credential, or the store cannot be read.
pub async fn show(
    on: &Runtime,
    asked: ShowCredential,
) -> Result<CredentialDetails, OperationError> {
    let ShowCredential { user_name } = asked;
    let credentials = change(&on.directory, Directory::credentials).await?;
    let mut credentials = credentials.into_iter();
    let found = credentials.find(|credential| credential.user_name == user_name);
    let credential = found.ok_or_else(|| unknown("credential", user_name))?;
    let account = credential.account.to_string();
    Ok(CredentialDetails {
        accepted: accepted_with(on, &account, &credential.user_name),
        credential,
    })
}

/// Revokes a credential: open sessions see that at their next command.
///
/// # Errors
/// There is no such credential, or the store cannot be changed.
pub async fn revoke(
    directory: &Arc<Directory>,
    asked: RevokeCredential,
) -> Result<(), OperationError> {
    change(directory, move |directory| {
        directory.revoke(&asked.user_name)
    })
    .await
}

/// Deletes a credential, live or revoked.
///
/// # Errors
/// There is no such credential, or the store cannot be changed.
pub async fn remove(
    directory: &Arc<Directory>,
    asked: RemoveCredential,
) -> Result<(), OperationError> {
    change(directory, move |directory| {
        directory.remove_credential(&asked.user_name)
    })
    .await
}

/// Adds a key to the key ring and encrypts everything with it.
///
/// # Errors
/// The key ring or the store cannot be changed.
pub async fn rekey(directory: &Arc<Directory>, _: Rekey) -> Result<Rekeyed, OperationError> {
    let rekeyed = change(directory, Directory::rekey).await?;
    Ok(Rekeyed { rekeyed })
}
