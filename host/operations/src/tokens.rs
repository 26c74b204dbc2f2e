//! Tokens by which programs use the HTTP API.

use std::time::Duration;

use clap::Args;
use gatepost_directory::{ApiScope, ApiToken, Name};
use gatepost_message::{Millis, Period};
use serde::{Deserialize, Serialize};

use crate::directory::{account_id, change};
use crate::error::OperationError;
use crate::handovers::parse_period;
use crate::runtime::Runtime;
use crate::shown_once::ShownOnce;

/// Request for a token by which a program uses the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddToken {
    /// Name by which you know it, such as the program that gets it.
    pub name: Name,
    /// Scope: read, operate or administer. Each may do what those before it may.
    #[arg(long)]
    pub scope: ApiScope,
    /// Account that it is bound to, by its id or native domain; without it the whole site.
    #[arg(long)]
    #[serde(default)]
    pub account: Option<String>,
    /// Time after which it is refused; without it never.
    #[arg(long, value_name = "DURATION", value_parser = parse_period)]
    #[serde(default)]
    pub expires: Option<Period>,
}

/// Request for the tokens of an account, or of all.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListTokens {
    /// Only those of this account, by its id or native domain.
    #[serde(default)]
    pub account: Option<String>,
}

/// Request to remove a token, which is refused from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveToken {
    /// Id of the token, as `gatepost token list` shows it.
    pub id: String,
    /// Account that it must be bound to, by its id or native domain.
    #[arg(long)]
    #[serde(default)]
    pub account: Option<String>,
}

/// New token, shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct IssuedToken {
    /// Token without its secret.
    #[serde(flatten)]
    pub token: ApiToken,
    /// Token as its owner presents it, in the field `Authorization: Bearer`. Whoever has it may do what
    /// it may.
    pub bearer: ShownOnce,
}

/// Adds a token, and returns it with its secret.
///
/// # Errors
/// There is no such account, it has as many tokens as it may, or the store cannot be changed.
pub async fn add(on: &Runtime, asked: AddToken) -> Result<IssuedToken, OperationError> {
    let AddToken {
        name,
        scope,
        account,
        expires,
    } = asked;
    let account =
        (account.map(|account| account_id(&on.directory.view(), &account))).transpose()?;
    let now = Millis::now();
    let expires = expires.map(|Period(after)| now + Duration::max(after, Duration::from_secs(1)));
    let added = change(&on.directory, move |directory| {
        directory.add_api_token(account, scope, name, now, expires)
    });
    let (token, presented) = added.await?;
    Ok(IssuedToken {
        token,
        bearer: presented.reveal().into(),
    })
}

/// Returns the tokens of an account or of all, oldest first.
///
/// # Errors
/// There is no such account.
pub fn list(on: &Runtime, asked: ListTokens) -> Result<Vec<ApiToken>, OperationError> {
    let view = on.directory.view();
    let account = (asked.account.map(|account| account_id(&view, &account))).transpose()?;
    let all = view.api_tokens().map(|of| of.token.clone());
    let mut all: Vec<_> = all
        .filter(|of| account.is_none() || of.account == account)
        .collect();
    all.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
    Ok(all)
}

/// Removes a token.
///
/// # Errors
/// There is no such token, or the store cannot be changed.
pub async fn remove(on: &Runtime, asked: RemoveToken) -> Result<ApiToken, OperationError> {
    let RemoveToken { id, account } = asked;
    let account =
        (account.map(|account| account_id(&on.directory.view(), &account))).transpose()?;
    change(&on.directory, move |directory| {
        directory.remove_api_token(account, &id)
    })
    .await
}
