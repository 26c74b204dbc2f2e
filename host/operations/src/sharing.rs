//! Sharing: agreements between accounts here.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::{Agreement, Directory};
use serde::{Deserialize, Serialize};

use crate::directory::{account_id, change};
use crate::error::OperationError;

/// Request to make an agreement: all support addresses of each account become partners of the
/// other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAgreement {
    /// Id or native domain of an account.
    pub account: String,
    /// Id or native domain of the account that it shares with.
    pub partner: String,
}

/// Request for agreements.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Args, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ListAgreements {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
}

/// Request to end an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAgreement {
    /// Id or native domain of an account.
    pub account: String,
    /// Id or native domain of the account that it shares with.
    pub partner: String,
}

/// Makes an agreement.
///
/// # Errors
/// There is no such account, the two share already, or the store cannot be changed.
pub async fn add(
    directory: &Arc<Directory>,
    asked: AddAgreement,
) -> Result<Agreement, OperationError> {
    let view = directory.view();
    let account = account_id(&view, &asked.account)?;
    let partner = account_id(&view, &asked.partner)?;
    change(directory, move |directory| {
        directory.add_agreement(account, partner)
    })
    .await
}

/// Lists agreements, of one account or of all.
///
/// # Errors
/// There is no such account.
pub fn list(
    directory: &Directory,
    asked: ListAgreements,
) -> Result<Vec<Agreement>, OperationError> {
    let view = directory.view();
    let account = asked.account.map(|named| account_id(&view, &named));
    let account = account.transpose()?;
    let agreements = view.agreements().iter();
    let of = |agreement: &&Agreement| account.is_none_or(|id| agreement.with(id).is_some());
    Ok(agreements.filter(of).copied().collect())
}

/// Ends an agreement.
///
/// # Errors
/// There is no such account, the two do not share, or the store cannot be changed.
pub async fn remove(
    directory: &Arc<Directory>,
    asked: RemoveAgreement,
) -> Result<(), OperationError> {
    let view = directory.view();
    let account = account_id(&view, &asked.account)?;
    let partner = account_id(&view, &asked.partner)?;
    change(directory, move |directory| {
        directory.remove_agreement(account, partner)
    })
    .await
}
