//! Changes to connections.

use gatepost_connections::{Connection, ConnectionName};
use gatepost_message::Millis;

use crate::{
    AccountId, Directory, DirectoryError, OwnedConnection,
    rules::{self, connection::NewConnection},
};

impl Directory {
    /// Adds a connection of an account, or changes the one with this name. `make` is given the
    /// present one, and makes the next.
    ///
    /// # Errors
    /// There is no such account, it has too many connections, the connection serves a sender that
    /// is not the account's or that another connection serves, or the store failed. In the value,
    /// the error of `make`.
    pub fn set_connection<E>(
        &self,
        account: AccountId,
        name: &ConnectionName,
        make: impl FnOnce(Option<&Connection>) -> Result<Connection, E>,
    ) -> Result<Result<OwnedConnection, E>, DirectoryError> {
        self.change(|view, state| {
            let former = view.connection(account, name.as_str());
            let connection = match make(former.map(|former| &*former.connection)) {
                Ok(connection) => connection,
                Err(error) => return Ok((Err(error), Vec::new())),
            };
            let sealed = state.ring.seal_connection(account, &connection)?;
            let new = NewConnection {
                account,
                connection,
                sealed,
                now: Millis::now(),
            };
            let (made, changes) = rules::connection::set(view, &state.limits, new)?;
            Ok::<_, DirectoryError>((Ok(made), changes))
        })
    }

    /// Removes a connection of an account.
    ///
    /// # Errors
    /// There is no such account or connection, or the store failed.
    pub fn remove_connection(
        &self,
        account: AccountId,
        name: &ConnectionName,
    ) -> Result<(), DirectoryError> {
        self.change(|view, _| rules::connection::remove(view, account, name))
    }
}
