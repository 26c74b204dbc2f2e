//! Holds of accounts: their outgoing mail waits in the queue, and submissions are taken.

use clap::Args;
use gatepost_directory::{Account, Hold, Reason};
use gatepost_intake::suspension;
use gatepost_message::Millis;
use gatepost_model::{Event, NoticeSubject};
use serde::{Deserialize, Serialize};

use crate::directory::{account_id, change};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Request to hold the outgoing mail of an account: it is taken, and waits in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldAccount {
    /// Id or native domain of the account.
    pub account: String,
    /// Reason, for operators.
    #[arg(long, value_name = "TEXT")]
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Request to end the hold of an account, and to release its mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseAccount {
    /// Id or native domain of the account.
    pub account: String,
}

/// Account whose outgoing mail is on hold, or goes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AccountHold {
    /// Id of the account.
    pub account: String,
    /// Hold, while there is one.
    pub hold: Option<Hold>,
    /// Number of messages that were held, and are due now.
    pub released: u64,
}

/// Holds the outgoing mail of an account. It holds at once, and after a restart.
///
/// # Errors
/// The directory has no such account, or the store cannot be changed.
pub async fn hold(on: &Runtime, asked: HoldAccount) -> Result<AccountHold, OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    let reason = asked.reason;
    let held = change(&on.directory, move |directory| {
        directory.hold_account(id, reason)
    });
    let held = held.await?;
    notice(on, &held, "outgoing mail of the account is on hold").await;
    Ok(answer(held, 0))
}

/// Ends the hold of an account, and releases its mail.
///
/// # Errors
/// The directory has no such account, or a store cannot be changed.
pub async fn release(on: &Runtime, asked: ReleaseAccount) -> Result<AccountHold, OperationError> {
    let id = account_id(&on.directory.view(), &asked.account)?;
    let freed = change(&on.directory, move |directory| {
        directory.release_account(id)
    });
    let freed = freed.await?;
    notice(on, &freed, "outgoing mail of the account goes again").await;
    let (view, name) = (on.directory.view(), freed.id.to_string());
    let released = suspension::release(&*on.queue, &on.trace, &view, Some(&name)).await?;
    Ok(answer(freed, released))
}

fn answer(account: Account, released: u64) -> AccountHold {
    AccountHold {
        account: account.id.to_string(),
        hold: account.details.hold,
        released,
    }
}

async fn notice(on: &Runtime, account: &Account, text: &str) {
    let account = account.id.to_string();
    tracing::warn!(account, "{text}");
    let (subject, text) = (NoticeSubject::Hold, text.to_owned());
    on.notice(Event::notice(Some(account), subject, text, Millis::now()))
        .await;
}
