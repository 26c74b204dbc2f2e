//! Endpoints of accounts: added, changed and removed while the relay runs.

use clap::Args;
use gatepost_config::account_endpoint;
use gatepost_connections::Secret;
use gatepost_directory::{
    AccountEndpoint, AccountId, EndpointName, EndpointScope, EndpointSettings, new_signing_secret,
};
use gatepost_intake::look_ups::without_secrets;
use gatepost_message::Millis;
use gatepost_model::{Destination, DestinationKey};
use gatepost_spool::Selection;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::code::Code;
use crate::connections::GivenSecret;
use crate::directory::{account_id, change, unknown};
use crate::error::OperationError;
use crate::runtime::Runtime;
use crate::shown_once::ShownOnce;

/// Request to add an endpoint that gets inbound mail of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddEndpoint {
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the endpoint.
    pub name: EndpointName,
    /// Recipients whose mail it gets: `account`, `brand NAME`, or a support address.
    #[serde(rename = "for", default = "whole_account")]
    pub scope: EndpointScope,
    /// Settings, with the keys of `[endpoint.NAME]`. Without secrets and preset, a secret is made.
    #[serde(default)]
    pub settings: EndpointSettings<GivenSecret>,
}

/// Request to change an endpoint of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetEndpoint {
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the endpoint.
    pub name: EndpointName,
    /// Recipients whose mail it gets; without it, they stay.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<EndpointScope>,
    /// Settings; what they leave out stays.
    #[serde(default)]
    pub settings: EndpointSettings<GivenSecret>,
}

/// Request for endpoints of accounts.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListEndpoints {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    #[serde(default)]
    pub account: Option<String>,
}

/// Request for an endpoint of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowEndpoint {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Name of the endpoint.
    pub name: EndpointName,
}

/// Request for a second secret of an endpoint, which signs beside the present one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateEndpointSecret {
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the endpoint.
    pub name: EndpointName,
    /// The secret; without it, one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<GivenSecret>,
}

/// Request to retire the older of the two secrets of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireEndpointSecret {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Name of the endpoint.
    pub name: EndpointName,
}

/// Request to remove an endpoint of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveEndpoint {
    /// Id or native domain of the account.
    #[arg(long)]
    pub account: String,
    /// Name of the endpoint.
    pub name: EndpointName,
}

/// Endpoint of an account in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EndpointSummary {
    /// Account that owns it.
    pub account: AccountId,
    /// Name.
    pub name: EndpointName,
    /// Recipients whose mail it gets.
    #[serde(rename = "for")]
    pub scope: EndpointScope,
    /// URL that takes the messages, without user and query, which may be secrets.
    pub url: String,
    /// Reason why its mail waits, if nothing gets there now.
    pub trouble: Option<EndpointTrouble>,
}

/// Endpoint of an account in full, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EndpointDetails {
    /// Account that owns it.
    pub account: AccountId,
    /// Name.
    pub name: EndpointName,
    /// Recipients whose mail it gets.
    #[serde(rename = "for")]
    pub scope: EndpointScope,
    /// Time of creation.
    pub created: Millis,
    /// Time of the last change.
    pub changed: Millis,
    /// Settings, with `…` in the place of each secret; the URL is without user and query.
    pub settings: EndpointSettings,
    /// Reason why its mail waits, if nothing gets there now.
    pub trouble: Option<EndpointTrouble>,
}

/// Reason why nothing gets to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EndpointTrouble {
    /// Time of the last try.
    pub at: Millis,
    /// Reply of that try, as in SMTP.
    pub reply: String,
}

/// Endpoint of an account with a secret that was made for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct IssuedEndpoint {
    /// Endpoint without its secrets.
    #[serde(flatten)]
    pub endpoint: EndpointDetails,
    /// Secret that was made, by which the application checks requests. It is shown this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<ShownOnce>,
}

fn whole_account() -> EndpointScope {
    EndpointScope::Account
}

/// Adds an endpoint of an account.
///
/// # Errors
/// There is no such account, it has an endpoint of this name or for these recipients or too many, the
/// settings are wrong, or the store cannot be changed.
pub async fn add(on: &Runtime, asked: AddEndpoint) -> Result<IssuedEndpoint, OperationError> {
    let AddEndpoint {
        account,
        name,
        scope,
        settings,
    } = asked;
    let settings = settings.with_secrets(|secret| secret.taken());
    let exists = name.clone();
    put(on, account, name, move |former| match former {
        None => Ok((scope, settings)),
        Some(_) => Err(OperationError::new(
            Code::EndpointExists,
            format!("there is an endpoint {exists} already; `gatepost endpoint set` changes it"),
        )),
    })
    .await
}

/// Changes an endpoint of an account. Mail that waits goes by the new settings at once.
///
/// # Errors
/// There is no such account or endpoint, another is for these recipients, the settings are wrong, or
/// the store cannot be changed.
pub async fn set(on: &Runtime, asked: SetEndpoint) -> Result<IssuedEndpoint, OperationError> {
    let SetEndpoint {
        account,
        name,
        scope,
        settings,
    } = asked;
    let settings = settings.with_secrets(|secret| secret.taken());
    let named = name.clone();
    put(on, account, name, move |former| {
        let former = former.ok_or_else(|| unknown("endpoint", &named))?;
        let settings = settings.over(EndpointSettings::clone(&former.settings));
        Ok((scope.unwrap_or_else(|| former.scope.clone()), settings))
    })
    .await
}

/// Gives an endpoint a second secret: both sign from now on.
///
/// # Errors
/// There is no such account or endpoint, it has two secrets already, the secret is none, or the store
/// cannot be changed.
pub async fn rotate_secret(
    on: &Runtime,
    asked: RotateEndpointSecret,
) -> Result<IssuedEndpoint, OperationError> {
    let RotateEndpointSecret {
        account,
        name,
        secret,
    } = asked;
    let (secret, shown) = match secret {
        Some(given) => (given.taken(), None),
        None => made_secret()?,
    };
    let named = name.clone();
    let issued = put(on, account, name, move |former| {
        let former = former.ok_or_else(|| unknown("endpoint", &named))?;
        let mut settings = EndpointSettings::clone(&former.settings);
        let mut secrets = settings.secrets.unwrap_or_default();
        if secrets.len() > 1 {
            let text = format!("two secrets of endpoint {named} sign already");
            return Err(OperationError::new(Code::EndpointRotates, text));
        }
        secrets.insert(0, secret);
        settings.secrets = Some(secrets);
        Ok((former.scope.clone(), settings))
    });
    Ok(IssuedEndpoint {
        secret: shown,
        ..issued.await?
    })
}

/// Retires the older of the two secrets of an endpoint: the newer one signs alone.
///
/// # Errors
/// There is no such account or endpoint, it has not two secrets, or the store cannot be changed.
pub async fn retire_secret(
    on: &Runtime,
    asked: RetireEndpointSecret,
) -> Result<EndpointDetails, OperationError> {
    let RetireEndpointSecret { account, name } = asked;
    let named = name.clone();
    let issued = put(on, account, name, move |former| {
        let former = former.ok_or_else(|| unknown("endpoint", &named))?;
        let mut settings = EndpointSettings::clone(&former.settings);
        let mut secrets = settings.secrets.unwrap_or_default();
        if secrets.len() < 2 {
            let text = format!("endpoint {named} has no older secret beside the one that signs");
            return Err(OperationError::new(Code::EndpointHasOneSecret, text));
        }
        secrets.truncate(1);
        settings.secrets = Some(secrets);
        Ok((former.scope.clone(), settings))
    });
    Ok(issued.await?.endpoint)
}

/// Lists endpoints: of one account, or of all.
///
/// # Errors
/// There is no such account.
pub fn list(on: &Runtime, asked: ListEndpoints) -> Result<Vec<EndpointSummary>, OperationError> {
    let view = on.directory.view();
    let only = asked.account.map(|named| account_id(&view, &named));
    let only = only.transpose()?;
    let all = view.all_endpoints().into_iter();
    let wanted = all.filter(|of| only.is_none_or(|id| of.account == id));
    let summaries = wanted.map(|of| EndpointSummary {
        account: of.account,
        name: of.name.clone(),
        scope: of.scope.clone(),
        url: without_secrets(of.settings.url.as_deref().unwrap_or_default()),
        trouble: trouble(on, of.account, &of.name),
    });
    Ok(summaries.collect())
}

/// Shows an endpoint, without its secrets.
///
/// # Errors
/// There is no such account or endpoint.
pub fn show(on: &Runtime, asked: ShowEndpoint) -> Result<EndpointDetails, OperationError> {
    let view = on.directory.view();
    let id = account_id(&view, &asked.account)?;
    let found = view.endpoint(id, asked.name.as_str());
    let found = found.ok_or_else(|| unknown("endpoint", &asked.name))?;
    Ok(details(on, found))
}

/// Removes an endpoint of an account. Mail that waits for it goes the way that its recipients then
/// have.
///
/// # Errors
/// There is no such account or endpoint, or the store cannot be changed.
pub async fn remove(on: &Runtime, asked: RemoveEndpoint) -> Result<(), OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    let name = asked.name.clone();
    change(&on.directory, move |directory| {
        directory.remove_endpoint(id, &name)
    })
    .await?;
    flow(on, id, [asked.name]).await
}

/// Makes the next settings of an endpoint of the present one, and has mail that waits try them.
async fn put(
    on: &Runtime,
    account: String,
    name: EndpointName,
    make: impl FnOnce(
        Option<&AccountEndpoint>,
    ) -> Result<(EndpointScope, EndpointSettings), OperationError>
    + Send
    + 'static,
) -> Result<IssuedEndpoint, OperationError> {
    let id = account_id(&on.directory.view(), &account)?;
    // Without a configuration nobody knows whether links are served: delivery finds out.
    let facts = on.facts.load_full();
    let has_links = facts.is_none_or(|facts| facts.handover.is_some());
    let (fresh, shown) = made_secret()?;
    let named = name.clone();
    let made = change(&on.directory, move |directory| {
        let (mut takes_fresh, mut is_elsewhere) = (false, true);
        let made = directory.set_endpoint(id, &named, |former| {
            let (scope, mut settings) = make(former)?;
            let lacks_secret = settings.secrets.as_ref().is_none_or(Vec::is_empty);
            takes_fresh = lacks_secret && settings.preset.is_none();
            if takes_fresh {
                settings.secrets = Some(vec![fresh]);
            }
            account_endpoint(&settings, has_links)
                .map_err(|error| OperationError::new(Code::InvalidEndpoint, error))?;
            is_elsewhere = former.is_none_or(|former| former.scope != scope);
            Ok::<_, OperationError>((scope, settings))
        })?;
        Ok(made.map(|endpoint| (endpoint, takes_fresh, is_elsewhere)))
    });
    let (endpoint, takes_fresh, is_elsewhere) = made.await??;
    let others = || {
        let view = on.directory.view();
        let names = view.endpoints(id).map(|of| of.name.clone());
        names.collect()
    };
    let concerned: Vec<_> = match is_elsewhere {
        // Mail that waits for another may be for this one now, and the other way round.
        true => others(),
        false => vec![name],
    };
    flow(on, id, concerned).await?;
    Ok(IssuedEndpoint {
        endpoint: details(on, &endpoint),
        secret: shown.filter(|_| takes_fresh),
    })
}

/// Opens the ways to endpoints, and makes due what waits for them.
///
/// # Errors
/// The queue cannot be changed.
async fn flow(
    on: &Runtime,
    account: AccountId,
    names: impl IntoIterator<Item = EndpointName>,
) -> Result<(), OperationError> {
    let now = Millis::now();
    for name in names {
        let destination = destination(account, &name);
        if let Some(reopen) = &on.reopen {
            reopen(&destination);
        }
        let waiting = Selection {
            destination: Some(destination),
            ..Selection::default()
        };
        on.queue.retry(waiting, now).await?;
    }
    Ok(())
}

fn destination(account: AccountId, name: &EndpointName) -> DestinationKey {
    let destination = Destination::AccountEndpoint {
        account: account.to_string(),
        name: name.to_string(),
    };
    destination.key()
}

/// Returns the reason why nothing gets to an endpoint now, as far as the running relay knows.
fn trouble(on: &Runtime, account: AccountId, name: &EndpointName) -> Option<EndpointTrouble> {
    let (at, reply) = on.closing_reply.as_ref()?(&destination(account, name))?;
    let reply = reply.to_string();
    Some(EndpointTrouble { at, reply })
}

fn details(on: &Runtime, endpoint: &AccountEndpoint) -> EndpointDetails {
    let mut settings = EndpointSettings::clone(&endpoint.settings);
    settings.url = settings.url.as_deref().map(without_secrets);
    EndpointDetails {
        account: endpoint.account,
        name: endpoint.name.clone(),
        scope: endpoint.scope.clone(),
        created: endpoint.created,
        changed: endpoint.changed,
        settings,
        trouble: trouble(on, endpoint.account, &endpoint.name),
    }
}

/// Makes a secret, and the form of it that is shown once.
fn made_secret() -> Result<(Secret, Option<ShownOnce>), OperationError> {
    let secret = new_signing_secret()?;
    let shown = Zeroizing::new(secret.reveal().to_owned()).into();
    Ok((secret, Some(shown)))
}
