//! Change of the passwords of several connections in one go: the new one is tried before it holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatepost_connections::{
    Connection, ConnectionDraft, ConnectionName, Connections as _, FoundConnection,
    ServerCredential,
};
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::connections::{
    self, ConnectionDetails, GivenSecret, SessionTester, SetConnection, TestedSession, as_draft,
    complete,
};
use crate::directory::{account_id, unknown};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Request to change the password, and the user, of connections of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCredential {
    /// Id or native domain of the account.
    pub account: String,
    /// Names of the connections.
    pub names: Vec<ConnectionName>,
    /// User; each keeps its own if there is none.
    #[serde(default)]
    pub user: Option<String>,
    /// Password.
    pub password: GivenSecret,
}

/// Changes the password of several connections, if each of their servers takes the new one. If one
/// refuses it, nothing is changed.
///
/// # Errors
/// There is no such account or connection, one logs in without a password, a server refuses the new
/// one, no relay runs, or the store cannot be changed.
pub async fn set_credential(
    on: &Runtime,
    asked: SetCredential,
) -> Result<Vec<ConnectionDetails>, OperationError> {
    let account = account_id(&on.directory.view(), &asked.account)?.to_string();
    let tester = on.tester.as_deref().ok_or_else(|| {
        let text = "no relay is running that could try the new password";
        OperationError::new(Code::RelayNotRunning, text)
    })?;
    let names: BTreeSet<_> = asked.names.iter().cloned().collect();
    let settings = ConnectionDraft {
        user: asked.user,
        password: Some(asked.password),
        ..ConnectionDraft::default()
    };
    let mut changed = Vec::new();
    for name in names {
        let found = on.connections.find(Some(&account), name.as_str());
        changed.push(found.ok_or_else(|| unknown("connection", &name))?);
    }
    for found in &changed {
        try_new(on, tester, found, settings.clone()).await?;
    }
    let mut set = Vec::new();
    for FoundConnection { key, .. } in changed {
        let request = SetConnection {
            account: account.clone(),
            name: key.name,
            settings: settings.clone(),
        };
        set.push(connections::set(on, request).await?);
    }
    Ok(set)
}

/// Opens a session by a connection as it would be with these settings.
async fn try_new(
    on: &Runtime,
    tester: &dyn SessionTester,
    found: &FoundConnection,
    settings: ConnectionDraft<GivenSecret>,
) -> Result<(), OperationError> {
    let name = &found.key.name;
    if !matches!(
        found.connection.credential,
        ServerCredential::Password { .. }
    ) {
        let text = format!("the connection {name} logs in without a password");
        return Err(OperationError::new(Code::InvalidConnection, text));
    }
    let draft = as_draft(settings).over(ConnectionDraft::of(&found.connection));
    let connection: Connection = complete(&on.connections.site().profiles, name.clone(), draft)?;
    let changed = FoundConnection {
        connection: Arc::new(connection),
        ..found.clone()
    };
    let TestedSession { refusal, .. } = tester.test(&changed).await;
    let Some(refusal) = refusal else {
        return Ok(());
    };
    let words = match refusal.reply {
        Some(reply) => reply.to_string(),
        None => refusal.words,
    };
    let text = format!(
        "the connection {name} does not work with the new password, and nothing was changed: at {} \
         its server says {words}",
        refusal.stage.word()
    );
    Err(OperationError::new(Code::CredentialRefused, text))
}
