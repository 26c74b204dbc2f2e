//! Credentials of those who hand in mail, and the keys that encrypt them.

use std::convert::Infallible;
use std::sync::Arc;

use clap::Args;
use gatepost_directory::{Credential, Directory, Grant, Issued, UserName, View};
use gatepost_message::Millis;
use gatepost_model::{AlertKind, Event, NoticeSubject};
use gatepost_volume::Used;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::{account_id, change, unknown};
use crate::error::OperationError;
use crate::named_connector::NamedConnector;
use crate::restrictions::accepted_with;
use crate::runtime::Runtime;

/// Request to issue a credential for relay from a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueInbound {
    /// Two-way connector of the domain, by the domain or its id.
    pub connector: NamedConnector,
    /// True if it gets the account's alias.
    #[serde(default)]
    pub alias: bool,
}

/// Request to issue a credential for submission by an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueSubmission {
    /// Id or native domain of the account.
    pub account: String,
    /// True if it gets the account's alias.
    #[serde(default)]
    pub alias: bool,
}

/// Request for credentials, ended ones too.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
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
            #[derive(
                Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema,
            )]
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
    /// Request to cancel a credential, in an emergency.
    CancelCredential
    /// Request to take a credential out of the list, live or ended.
    RemoveCredential
}

/// Request to issue a second credential, which is to take the place of a live one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateCredential {
    /// User name of the credential, or domain or id of the connector that has one live credential.
    #[arg(value_name = "USER NAME|CONNECTOR")]
    pub credential: String,
}

/// Request to retire a credential that is not used any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetireCredential {
    /// User name of the credential.
    #[arg(value_parser = parse_user_name)]
    pub user_name: UserName,
    /// Even if it was used a short time ago.
    #[arg(long)]
    #[serde(default)]
    pub force: bool,
}

pub(crate) fn parse_user_name(text: &str) -> Result<UserName, Infallible> {
    Ok(UserName::new(text))
}

/// Request to encrypt everything with a new key.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Rekey {}

/// Credential, with what was accepted from those who logged in with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CredentialDetails {
    /// Credential without its secret.
    #[serde(flatten)]
    pub credential: Credential,
    /// Messages and recipients that were accepted.
    pub accepted: Used,
}

/// Outcome of a rekey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
    let connector = connector.find(&directory.view())?;
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

/// Issues a second credential beside a live one. Both are valid until one is retired or cancelled.
///
/// # Errors
/// There is no such credential, it may not be rotated now, or the store cannot be changed.
pub async fn rotate(on: &Runtime, asked: RotateCredential) -> Result<Issued, OperationError> {
    let user = to_rotate(&on.directory.view(), &asked.credential)?;
    let former = user.clone();
    let rotated = change(&on.directory, move |directory| directory.rotate(&former)).await?;
    let next = &rotated.credential.user_name;
    let text = format!("the credential {user} is being rotated: {next} takes its place");
    let alert = Some((AlertKind::CredentialRotated, &user));
    notice(on, &rotated.credential, text, alert).await;
    Ok(rotated)
}

/// Finds the credential to rotate by its user name, or by the connector whose only one it is.
fn to_rotate(view: &View, named: &str) -> Result<UserName, OperationError> {
    let Ok(connector) = named.parse::<NamedConnector>() else {
        return Ok(UserName::new(named));
    };
    let connector = connector.find(view)?;
    let accounts = view.accounts();
    let all = accounts.flat_map(|account| view.credentials_of(account.id));
    let live: Vec<_> = all
        .filter(|of| of.scope.connector() == Some(connector) && of.ended.is_none())
        .collect();
    match live.as_slice() {
        [one] => Ok(one.user_name.clone()),
        [] => Err(unknown("credential", named).into()),
        several => Err(OperationError::new(
            Code::TooManyCredentials,
            format!(
                "{} credentials of the connector are live: retire one first",
                several.len()
            ),
        )),
    }
}

/// Retires a credential that is not used any more. For a grace period its user is asked to come
/// again.
///
/// # Errors
/// There is no such credential, it was used a short time ago, or the store cannot be changed.
pub async fn retire(on: &Runtime, asked: RetireCredential) -> Result<Credential, OperationError> {
    let RetireCredential { user_name, force } = asked;
    let retired = change(&on.directory, move |directory| {
        directory.retire(&user_name, force)
    });
    let retired = retired.await?;
    let text = format!("the credential {} is retired", retired.user_name);
    notice(on, &retired, text, None).await;
    Ok(retired)
}

/// Cancels a credential: it is refused for good, and open sessions end at their next command.
///
/// # Errors
/// There is no such credential, or the store cannot be changed.
pub async fn cancel(on: &Runtime, asked: CancelCredential) -> Result<Credential, OperationError> {
    let CancelCredential { user_name } = asked;
    let cancelled = change(&on.directory, move |directory| directory.cancel(&user_name)).await?;
    let text = format!("the credential {} is cancelled", cancelled.user_name);
    let alert = Some((AlertKind::CredentialCancelled, &cancelled.user_name));
    notice(on, &cancelled, text, alert).await;
    Ok(cancelled)
}

/// Tells the account of a change of a credential by an event. The change itself has been made.
async fn notice(
    on: &Runtime,
    credential: &Credential,
    text: String,
    alert: Option<(AlertKind, &UserName)>,
) {
    let account = Some(credential.account.to_string());
    let event = Event::notice(account, NoticeSubject::Credential, text, Millis::now());
    on.notice(match alert {
        Some((kind, about)) => event.alerting(kind, about.as_str(), None),
        None => event,
    })
    .await;
}

/// Takes a credential out of the list, live or ended. Unless it was cancelled, its user is asked to
/// come again for the grace period.
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
