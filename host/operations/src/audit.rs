//! Audit log: every operation that changes something is in it, and it is listed.

use std::sync::Arc;

use clap::Args;
use gatepost_directory::{AuditEntry, AuditQuery, AuditRecord, Directory, UserName, View};
use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

use crate::asker::Asker;
use crate::directory::{account_name, change};
use crate::error::OperationError;
use crate::message::PAGE;
use crate::operation::Operation;
use crate::picked::Picked;
use crate::runtime::Runtime;

/// Most entries of one answer.
const MOST: usize = 1000;

/// Request for entries of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListAudit {
    /// Only those of this account, by its id or native domain.
    #[arg(long)]
    pub account: Option<String>,
    /// Only those with a smaller number.
    #[arg(long, value_name = "NUMBER")]
    pub before: Option<u64>,
    /// Maximum number of entries, up to 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = PAGE)]
    pub limit: usize,
}

impl Default for ListAudit {
    /// Asks for the newest hundred entries.
    fn default() -> Self {
        Self {
            account: None,
            before: None,
            limit: PAGE,
        }
    }
}

/// Lists entries of the audit log, newest first.
///
/// # Errors
/// The store cannot be read.
pub async fn list(
    directory: &Arc<Directory>,
    asked: ListAudit,
) -> Result<Vec<AuditRecord>, OperationError> {
    let account = asked.account.map(|named| account_name(directory, &named));
    let query = AuditQuery {
        account,
        before: asked.before,
        limit: asked.limit.min(MOST),
    };
    change(directory, move |directory| directory.audit(&query)).await
}

/// Executes an operation that somebody asks for. If it changes something, it is in the audit log
/// afterwards.
///
/// # Errors
/// Those of the operation.
pub async fn perform<O: Operation>(
    request: O,
    on: &Runtime,
    asker: &Asker,
) -> Result<O::Answer, OperationError> {
    if O::READS {
        return request.execute(on, asker).await;
    }
    let mut picked = Picked::default();
    picked.add(&request);
    // What is removed is not known afterwards.
    let owner = owner(&on.directory, &picked);
    let answer = request.execute(on, asker).await?;
    picked.add(&answer);
    let owner = owner.or_else(|| {
        // An account that was added is found by its domain.
        let named = picked.get("account").or(picked.get("native-domain"));
        named.map(str::to_owned)
    });
    let (subject, detail) = picked.told();
    let entry = AuditEntry {
        at: Millis::now(),
        account: owner.map(|named| account_name(&on.directory, &named)),
        actor: asker.name.clone(),
        origin: Some(asker.origin.to_owned()),
        action: O::NAME.to_owned(),
        subject,
        detail,
    };
    let recorded = change(&on.directory, move |directory| {
        directory.record_audit(entry)
    });
    if let Err(error) = recorded.await {
        tracing::error!(%error, operation = O::NAME, "an operation is not in the audit log");
    }
    Ok(answer)
}

/// Returns the account that a request names, or that owns what it names.
fn owner(directory: &Directory, picked: &Picked) -> Option<String> {
    let view = directory.view();
    let by_account = picked.get("account");
    let by_account = by_account.map(|named| account_name(directory, named));
    by_account.or_else(|| {
        let credential = picked.get("user-name").or(picked.get("credential"));
        let credential = credential.and_then(|user| owner_of_credential(&view, user));
        credential.or_else(|| owner_of_connector(&view, picked.get("connector")?))
    })
}

fn owner_of_credential(view: &View, user: &str) -> Option<String> {
    let user = UserName::new(user);
    match view.credential(user.as_str()) {
        Some(known) => Some(known.credential.account.to_string()),
        // A rotation may name the connector.
        None => owner_of_connector(view, user.as_str()),
    }
}

fn owner_of_connector(view: &View, id: &str) -> Option<String> {
    let id = id.parse().ok()?;
    let mut accounts = view.accounts();
    let owner = accounts.find(|account| view.connector(account.id, id).is_some())?;
    Some(owner.id.to_string())
}
