//! Connections of customers.

use std::sync::Arc;

use gatepost_connections::{Connection, ConnectionName};
use gatepost_message::Millis;

use crate::{AccountId, Sealed};

/// Connection of an account, with the times of its row.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedConnection {
    /// Account that owns it.
    pub account: AccountId,
    /// Time of creation.
    pub created: Millis,
    /// Time of the last change.
    pub changed: Millis,
    /// Number that grows with each change, also when the connection is removed and made again.
    pub generation: u64,
    /// The connection, with its secrets.
    pub connection: Arc<Connection>,
}

/// Connection as it is stored: encrypted whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedConnection {
    /// Account that owns it.
    pub account: AccountId,
    /// Name.
    pub name: ConnectionName,
    /// Time of creation.
    pub created: Millis,
    /// Time of the last change.
    pub changed: Millis,
    /// Number that grows with each change.
    pub generation: u64,
    /// Encrypted connection.
    pub sealed: Sealed,
}
