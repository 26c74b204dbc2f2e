//! Suppression lists: addresses to which an account sends nothing any more.

use clap::Args;
use gatepost_directory::Directory;
use gatepost_message::{Address, Millis};
use gatepost_model::{Suppression, SuppressionCause};
use gatepost_spool::{SuppressionFilter, Suppressions};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::{account_id, account_name};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Most addresses of one import or answer.
pub const MOST: usize = 5_000;

/// Request for the addresses on suppression lists, by account and address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListSuppressions {
    /// Only those of this account: its id, or the native domain of one in the directory.
    pub account: Option<String>,
    /// Only those with this cause: hard-bounce, soft-bounces, complaint, operator or import; or
    /// counting, for addresses that are not suppressed yet.
    #[arg(long, value_parser = cause)]
    pub cause: Option<SuppressionCause>,
    /// Go on after this address, the last of the page before.
    #[arg(long)]
    pub after: Option<String>,
    /// Account of that address, where several are listed.
    #[arg(long, value_name = "ACCOUNT", requires = "after")]
    pub after_account: Option<String>,
    /// Most addresses.
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

impl Default for ListSuppressions {
    fn default() -> Self {
        Self {
            account: None,
            cause: None,
            after: None,
            after_account: None,
            limit: 100,
        }
    }
}

fn cause(word: &str) -> Result<SuppressionCause, String> {
    SuppressionCause::from_word(word).ok_or_else(|| {
        let words = SuppressionCause::ALL.map(SuppressionCause::word);
        format!("it is one of {}", words.join(", "))
    })
}

/// Request to put an address on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSuppression {
    /// Id of the account, or the native domain of one in the directory.
    pub account: String,
    /// Address to which the account sends nothing any more.
    pub address: Address,
    /// Reason, which whoever writes to the address is told.
    #[arg(long, default_value = "")]
    #[serde(default)]
    pub reason: String,
}

/// Request to take an address off a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveSuppression {
    /// Id of the account, or the native domain of one in the directory.
    pub account: String,
    /// Address to remove.
    pub address: Address,
}

/// Request to put many addresses on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportSuppressions {
    /// Id of the account, or the native domain of one in the directory.
    pub account: String,
    /// Addresses, at most [`MOST`].
    pub entries: Vec<ImportedSuppression>,
}

/// Address of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImportedSuppression {
    /// Address.
    pub address: Address,
    /// Cause.
    pub cause: SuppressionCause,
    /// Evidence.
    pub evidence: String,
    /// Time of the evidence; that of the import if absent.
    pub at: Option<Millis>,
    /// Number of bounces that were counted.
    pub count: u32,
}

/// Outcome of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Imported {
    /// Number of addresses that were stored; fewer than were handed over if the list is full.
    pub stored: u64,
}

/// Lists addresses, by account and address.
///
/// # Errors
/// The store cannot be read.
pub async fn list(
    suppressions: &dyn Suppressions,
    directory: &Directory,
    asked: ListSuppressions,
) -> Result<Vec<Suppression>, OperationError> {
    let name = |account: String| account_name(directory, &account);
    let account = asked.account.map(name);
    let after_account = asked.after_account.map(name).or_else(|| account.clone());
    let filter = SuppressionFilter {
        cause: asked.cause,
        after: asked
            .after
            .map(|address| (after_account.unwrap_or_default(), key(&address))),
        limit: asked.limit.min(MOST),
        account,
    };
    Ok(suppressions.page(filter).await?)
}

/// Returns the form in which lists have an address.
fn key(address: &str) -> String {
    Address::parse(address).map_or_else(|_| address.to_owned(), |of| Suppression::key(&of))
}

/// Puts an address on the list of an account.
///
/// # Errors
/// There is no such account, the reason is too long, the list is full, or the store cannot be changed.
pub async fn add(on: &Runtime, asked: AddSuppression) -> Result<(), OperationError> {
    let entry = ImportedSuppression {
        address: asked.address,
        cause: SuppressionCause::Operator,
        evidence: asked.reason,
        at: None,
        count: 0,
    };
    let entries = vec![entry];
    let account = asked.account;
    let import = import(on, ImportSuppressions { account, entries });
    match import.await?.stored {
        0 => {
            let text = "the suppression list is full of addresses that people have put there";
            Err(OperationError::new(Code::SuppressionsFull, text))
        }
        _ => Ok(()),
    }
}

/// Takes an address off the list of an account, and forgets the failures that were counted.
///
/// # Errors
/// It is not on the list, or the store cannot be changed.
pub async fn remove(
    suppressions: &dyn Suppressions,
    directory: &Directory,
    asked: RemoveSuppression,
) -> Result<(), OperationError> {
    let RemoveSuppression { account, address } = asked;
    let account = account_name(directory, &account);
    let removed = suppressions.remove(&account, &Suppression::key(&address));
    match removed.await? {
        true => Ok(()),
        false => Err(OperationError::new(
            Code::NotSuppressed,
            format!(
                "{address} is not on the suppression list of {account}; `gatepost suppression list` \
                 shows those that are"
            ),
        )),
    }
}

/// Puts addresses on the list of an account, in place of what is recorded of them.
///
/// # Errors
/// There is no such account, they are too many, or the store cannot be changed.
pub async fn import(on: &Runtime, asked: ImportSuppressions) -> Result<Imported, OperationError> {
    let too_long = |text: &str| Err(OperationError::new(Code::SuppressionTooLong, text));
    let ImportSuppressions { account, entries } = asked;
    if entries.len() > MOST {
        return too_long("a request has at most 5000 addresses");
    }
    if (entries.iter()).any(|entry| entry.evidence.len() > Suppression::LONGEST_EVIDENCE) {
        return too_long("the evidence of an address has at most 512 octets");
    }
    let account = known_account(on, &account)?;
    let now = Millis::now();
    let entries = entries.into_iter().map(|entry| Suppression {
        account: account.clone(),
        address: Suppression::key(&entry.address),
        cause: entry.cause,
        evidence: entry.evidence,
        at: entry.at.unwrap_or(now),
        by: None,
        count: entry.count,
    });
    let stored = on.suppressions.add(entries.collect()).await?;
    Ok(Imported { stored })
}

/// Returns the name of an account of the directory or of the configuration. Without a configuration,
/// its accounts are not known, and every name is one.
pub(crate) fn known_account(on: &Runtime, named: &str) -> Result<String, OperationError> {
    match account_id(&on.directory.view(), named) {
        Ok(id) => Ok(id.to_string()),
        Err(_) if on.site.load().may_have(named) => Ok(named.to_owned()),
        Err(refusal) => Err(refusal.into()),
    }
}
