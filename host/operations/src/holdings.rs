//! What a connector owns, as the commands that remove it.

use std::sync::Arc;

use gatepost_connections::Serves;
use gatepost_directory::{
    ConnectorId, Directory, DkimState, EndpointScope, KeyOwner, SupportAddress,
};

use crate::directory::change;
use crate::error::OperationError;

/// Most commands that are named.
const MOST_COMMANDS: usize = 20;

/// Returns the commands that remove what a connector owns, in an order in which they succeed:
/// credentials, endpoints of addresses, addresses, connections that serve its domain, DKIM keys. Empty where there is no
/// such connector. Of more than 20 the last one says how many follow.
///
/// # Errors
/// The store cannot be read.
pub(crate) async fn commands_to_remove(
    directory: &Arc<Directory>,
    id: ConnectorId,
) -> Result<Vec<String>, OperationError> {
    let credentials = change(directory, Directory::credentials).await?;
    let addresses = change(directory, Directory::addresses).await?;
    let view = directory.view();
    let Some(connector) = view.find_connector(id) else {
        return Ok(Vec::new());
    };
    let claim = &connector.claim;
    let (account, domain) = (claim.account, &claim.domain);
    let mut commands = Vec::new();
    let of_connector = credentials
        .iter()
        .filter(|of| of.scope.connector() == Some(id));
    commands
        .extend(of_connector.map(|of| format!("`gatepost credential remove {}`", of.user_name)));
    let of_connector = addresses.iter().filter(|of| of.connector == Some(id));
    let endpoints = view.endpoints(account).filter(|endpoint| {
        let is_for = |of: &SupportAddress| match &endpoint.scope {
            EndpointScope::Address(address) => of.address.is_same_mailbox(address),
            _ => false,
        };
        of_connector.clone().any(is_for)
    });
    commands.extend(
        endpoints.map(|of| format!("`gatepost endpoint remove --account {account} {}`", of.name)),
    );
    commands.extend(of_connector.map(|of| {
        format!(
            "`gatepost address remove --account {account} {}`",
            of.address
        )
    }));
    let serves = |sender: &Serves| match sender {
        Serves::Domain(served) => served == domain,
        Serves::Address(address) => domain.matches(address.domain()),
        Serves::Brand(_) => false,
    };
    let connections = view.connections(account);
    let serving = connections.filter(|of| of.connection.serves.iter().any(serves));
    commands.extend(serving.map(|of| {
        format!(
            "`gatepost connection remove --account {account} {}`",
            of.connection.name
        )
    }));
    let keys = view.dkim_keys(KeyOwner::Account(account));
    let keys = keys.filter(|of| of.domain == *domain && of.state != DkimState::Retired);
    commands.extend(keys.map(|of| {
        format!(
            "`gatepost dkim retire --account {account} {domain} {}`",
            of.selector
        )
    }));
    if let Some(more) = commands
        .len()
        .checked_sub(MOST_COMMANDS)
        .filter(|of| *of > 0)
    {
        commands.truncate(MOST_COMMANDS);
        commands.push(format!("and {more} more like these"));
    }
    Ok(commands)
}
