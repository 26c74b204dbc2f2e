//! Imports of partner addresses. An import is handed over in parts, and has no effect until it is
//! finished.

use std::sync::Arc;

use gatepost_directory::{Directory, ImportId, ListChange, PartnerEntry, PartnerSource};
use serde::{Deserialize, Serialize};

use crate::directory::{account_id, change};
use crate::error::OperationError;
use crate::partners::{self, Removed};

/// Request to begin an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginImport {
    /// Id or native domain of the account.
    pub account: String,
}

/// Request to hand over entries of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToImport {
    /// Id of the import.
    pub import: ImportId,
    /// Entries to add.
    pub entries: Vec<PartnerEntry>,
}

/// Request to move the entries of an import into its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishImport {
    /// Id of the import.
    pub import: ImportId,
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the list.
    pub name: String,
    /// True if they replace the entries of the list.
    #[serde(default)]
    pub replace: bool,
}

/// Request to drop an import that is not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AbandonImport {
    /// Id of the import.
    pub import: ImportId,
}

/// Request to remove the list of an import with all its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveImport {
    /// Id or native domain of the account.
    pub account: String,
    /// Name of the list.
    pub name: String,
}

/// Begins an import for an account, in place of one that has begun.
///
/// # Errors
/// There is no such account, or the store cannot be changed.
pub async fn begin(
    directory: &Arc<Directory>,
    asked: BeginImport,
) -> Result<ImportId, OperationError> {
    let account = account_id(&directory.view(), &asked.account)?;
    change(directory, move |directory| directory.begin_import(account)).await
}

/// Adds entries to an import.
///
/// # Errors
/// There is no such import any more, or the store cannot be changed.
pub async fn add(directory: &Arc<Directory>, asked: AddToImport) -> Result<(), OperationError> {
    let AddToImport { import, entries } = asked;
    change(directory, move |directory| {
        directory.add_to_import(import, &entries)
    })
    .await
}

/// Moves the entries of an import into its list.
///
/// # Errors
/// There is no such import any more, an entry is the account's own, or the store cannot be changed.
pub async fn finish(
    directory: &Arc<Directory>,
    asked: FinishImport,
) -> Result<ListChange, OperationError> {
    let account = account_id(&directory.view(), &asked.account)?;
    change(directory, move |directory| {
        directory.finish_import(asked.import, account, &asked.name, asked.replace)
    })
    .await
}

/// Drops an import that is not finished.
///
/// # Errors
/// There is no such import any more, or the store cannot be changed.
pub async fn abandon(
    directory: &Arc<Directory>,
    asked: AbandonImport,
) -> Result<(), OperationError> {
    change(directory, move |directory| {
        directory.abandon_import(asked.import)
    })
    .await
}

/// Removes the list of an import with all its entries.
///
/// # Errors
/// There is no such account, it has no such list, or the store cannot be changed.
pub async fn remove(
    directory: &Arc<Directory>,
    asked: RemoveImport,
) -> Result<Removed, OperationError> {
    let list = PartnerSource::Import(asked.name);
    partners::remove_list(directory, &asked.account, list).await
}
