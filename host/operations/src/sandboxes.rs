//! Sandboxes: accounts for trials, whose mail reaches nobody but their test users.

use clap::Args;
use gatepost_directory::{Account, Name};
use gatepost_message::Address;
use gatepost_spool::{Filter, Selection};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::directory::{account, account_id, change};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Request to make an account a sandbox, or to change the Maildir of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSandbox {
    /// Id or native domain of the account.
    pub account: String,
    /// Maildir of the configuration into which mail for others than its test users goes; without it,
    /// they are refused.
    #[arg(long, value_name = "NAME")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maildir: Option<Name>,
}

/// Request to make an account one of production: its mail goes to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetProduction {
    /// Id or native domain of the account.
    pub account: String,
}

/// Request to add a test user to a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddTestUser {
    /// Id or native domain of the account.
    pub account: String,
    /// Address that gets its mail.
    pub address: Address,
}

/// Request to remove a test user from a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveTestUser {
    /// Id or native domain of the account.
    pub account: String,
    /// Address of the test user.
    pub address: Address,
}

/// Request for the test users of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTestUsers {
    /// Id or native domain of the account.
    pub account: String,
}

/// Test user of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TestUser {
    /// Id of the account.
    pub account: String,
    /// Address that gets its mail.
    pub address: Address,
}

/// Makes an account a sandbox, or changes the Maildir of one. Mail that waits in the queue is bound by
/// it as well.
///
/// # Errors
/// There is no such account or Maildir, a domain of the account is in production, or the store cannot
/// be changed.
pub async fn set_sandbox(on: &Runtime, asked: SetSandbox) -> Result<Account, OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    let maildir = asked.maildir;
    check_maildir(on, maildir.as_ref())?;
    change(&on.directory, move |directory| {
        directory.set_sandbox(id, maildir)
    })
    .await
}

/// Makes an account one of production. Its list of test users goes.
///
/// # Errors
/// There is no such account, a domain of it is in a sandbox, or the store cannot be changed.
pub async fn set_production(on: &Runtime, asked: SetProduction) -> Result<Account, OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    change(&on.directory, move |directory| directory.set_production(id)).await
}

/// Adds a test user to a sandbox, if it is none yet.
///
/// # Errors
/// There is no such account, it is no sandbox or has as many as it may have, or the store cannot be
/// changed.
pub async fn add_test_user(
    on: &Runtime,
    asked: AddTestUser,
) -> Result<Vec<TestUser>, OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    let address = asked.address;
    let changed = change(&on.directory, move |directory| {
        directory.add_test_user(id, address)
    });
    Ok(test_users(&changed.await?))
}

/// Removes a test user from a sandbox.
///
/// # Errors
/// There is no such account, it is no sandbox or has no such test user, or the store cannot be
/// changed.
pub async fn remove_test_user(on: &Runtime, asked: RemoveTestUser) -> Result<(), OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    let address = asked.address;
    let changed = change(&on.directory, move |directory| {
        directory.remove_test_user(id, &address)
    });
    changed.await.map(drop)
}

/// Lists the test users of a sandbox.
///
/// # Errors
/// There is no such account.
pub fn list_test_users(
    on: &Runtime,
    asked: ListTestUsers,
) -> Result<Vec<TestUser>, OperationError> {
    Ok(test_users(account(&on.directory.view(), &asked.account)?))
}

/// Refuses to remove a sandbox whose mail is in the queue: without the account, nothing would say any
/// more that it is a sandbox's.
///
/// # Errors
/// The sandbox has mail in the queue, or the queue cannot be read.
pub(crate) async fn check_removable(on: &Runtime, named: &str) -> Result<(), OperationError> {
    let view = on.directory.view();
    let Ok(id) = account_id(&view, named).map(|id| id.to_string()) else {
        // Whoever removes it says so.
        return Ok(());
    };
    if view.sandbox(&id).is_none() {
        return Ok(());
    }
    let one = Filter {
        selection: Selection {
            account: Some(id.clone()),
            ..Selection::default()
        },
        limit: 1,
        ..Filter::default()
    };
    let [queued, quarantined] = [on.queue.list(one.clone()), on.queue.quarantine_list(one)];
    if queued.await?.is_empty() && quarantined.await?.is_empty() {
        return Ok(());
    }
    let text =
        format!("the sandbox {id} still has mail in the queue: cancel it, or erase the account");
    Err(OperationError::new(Code::NotEmpty, text))
}

/// Refuses a Maildir that the configuration does not have, where the configuration is known.
///
/// # Errors
/// The configuration has none of this name.
pub(crate) fn check_maildir(on: &Runtime, maildir: Option<&Name>) -> Result<(), OperationError> {
    let (Some(name), Some(facts)) = (maildir, on.facts.load_full()) else {
        return Ok(());
    };
    if facts.maildirs.iter().any(|known| known == name.as_str()) {
        return Ok(());
    }
    let text = format!("the configuration has no [maildir.{name}]");
    Err(OperationError::new(Code::UnknownMaildir, text))
}

fn test_users(account: &Account) -> Vec<TestUser> {
    let users = account.details.sandbox.test_users.iter();
    let users = users.map(|address| TestUser {
        account: account.id.to_string(),
        address: address.clone(),
    });
    users.collect()
}
