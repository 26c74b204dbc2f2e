//! Rows of the directory, and changes to them: rules decide on them, a store writes them, and the
//! view follows them.

use std::sync::Arc;

use gatepost_connections::ConnectionName;
use gatepost_message::{Millis, SoughtAddress};

use crate::{
    Account, AccountId, Administrator, Agreement, AuditEntry, Canonical, Connector, ConnectorId,
    Credential, DkimKeyName, EndpointName, Handover, KeptRequest, PartnerEntry, PartnerList, Probe,
    ProbeId, Restriction, SealedConnection, SealedDkimKey, SealedEndpoint, StoredApiToken,
    SupportAddress, UserName,
};

/// Change of a directory. A store writes all changes of one call in one commit.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectoryChange {
    /// Adds a row, or replaces the one with the same key.
    Put(DirectoryRow),
    /// Removes a row, if it is there. With a list go its entries.
    Remove(RowKey),
    /// Adds entries to a list of partners. Those that it has already stay as they are.
    AddEntries {
        /// Id of the list.
        list: u32,
        /// New entries.
        entries: Vec<PartnerEntry>,
        /// Time at which they were added.
        added: Millis,
    },
    /// Keeps a request of the HTTP API, in the place of one under its key.
    KeepRequest(Box<KeptRequest>),
    /// Forgets a request of the HTTP API.
    ForgetRequest {
        /// Id of its token.
        token: String,
        /// Key of the request.
        key: String,
    },
    /// Forgets the requests of the HTTP API from before this time.
    ForgetRequests(Millis),
    /// Adds an entry to the audit log.
    Audit(AuditEntry),
    /// Removes the entries of the audit log from before this time.
    ForgetAudit(Millis),
    /// Removes the entries of the audit log that are of an account, or name it, but those that say
    /// that it was erased. All requests of the HTTP API go as well: their answers may show it.
    EraseAudit {
        /// Id of the account.
        account: String,
        /// Names by which other entries tell of it, in lower case.
        names: Vec<String>,
    },
    /// Puts an address of nobody in the place of an address that is erased, in the entries of the audit
    /// log that are of an account, or in all. All requests of the HTTP API go as well: their answers may
    /// show it.
    EraseFromAudit {
        /// Id of the account; `None` for all entries.
        account: Option<String>,
        /// The address.
        address: SoughtAddress,
    },
    /// Removes entries from a list of partners.
    RemoveEntries {
        /// Id of the list.
        list: u32,
        /// Entries to remove.
        entries: Vec<PartnerEntry>,
    },
}

/// Row of a directory.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectoryRow {
    /// Account with its brands and its settings of policies.
    Account(Arc<Account>),
    /// Connector.
    Connector(Box<Connector>),
    /// Support address.
    Address(Box<SupportAddress>),
    /// Credential with its encrypted verifier.
    Credential(Box<SealedCredential>),
    /// Sharing agreement.
    Agreement(Agreement),
    /// List of partners, without its entries.
    List(Box<PartnerList>),
    /// Connection of a customer, encrypted.
    Connection(Box<SealedConnection>),
    /// Restrictions on the submissions of an account.
    Restriction(Box<Restriction>),
    /// DKIM key with its encrypted private half.
    DkimKey(Box<SealedDkimKey>),
    /// Administrator of an account.
    Administrator(Box<Administrator>),
    /// Verification mail that is on its way.
    Probe(Box<Probe>),
    /// Secret that a link shows once.
    Handover(Box<Handover>),
    /// Token of the HTTP API.
    ApiToken(Box<StoredApiToken>),
    /// Endpoint of an account, encrypted.
    Endpoint(Box<SealedEndpoint>),
}

/// Credential as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedCredential {
    /// Credential without its secret.
    pub credential: Credential,
    /// Verifier of the secret.
    pub verifier: Sealed,
}

/// Encrypted value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Id of the key that encrypted it.
    pub key_id: String,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// Key of a row. Its order is one in which each row comes after those that it refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    /// Account.
    Account(AccountId),
    /// Connector.
    Connector(ConnectorId),
    /// Support address.
    Address {
        /// Canonical form of the address.
        canonical: Canonical,
        /// Account of the address.
        account: AccountId,
    },
    /// Credential.
    Credential(UserName),
    /// Sharing agreement.
    Agreement {
        /// Account with the lesser id.
        one: AccountId,
        /// Account with the greater id.
        other: AccountId,
    },
    /// List of partners.
    List(u32),
    /// Connection of a customer.
    Connection {
        /// Account that owns it.
        account: AccountId,
        /// Name.
        name: ConnectionName,
    },
    /// Restrictions on the submissions of the account with this id.
    Restriction(String),
    /// DKIM key.
    DkimKey(DkimKeyName),
    /// Administrator of an account.
    Administrator {
        /// Account that they administer.
        account: AccountId,
        /// Canonical form of the address.
        canonical: Canonical,
    },
    /// Verification mail that is on its way.
    Probe(ProbeId),
    /// Secret that a link shows once, by its id.
    Handover(String),
    /// Token of the HTTP API, by its id.
    ApiToken(String),
    /// Endpoint of an account.
    Endpoint {
        /// Account that owns it.
        account: AccountId,
        /// Name.
        name: EndpointName,
    },
}

impl DirectoryRow {
    /// Returns the key of the row.
    pub fn key(&self) -> RowKey {
        match self {
            Self::Account(account) => RowKey::Account(account.id),
            Self::Connector(connector) => RowKey::Connector(connector.id),
            Self::Address(address) => RowKey::Address {
                canonical: address.canonical(),
                account: address.account,
            },
            Self::Credential(sealed) => RowKey::Credential(sealed.credential.user_name.clone()),
            Self::Agreement(Agreement { one, other, .. }) => RowKey::Agreement {
                one: *one,
                other: *other,
            },
            Self::List(list) => RowKey::List(list.id),
            Self::Connection(sealed) => RowKey::Connection {
                account: sealed.account,
                name: sealed.name.clone(),
            },
            Self::Restriction(restriction) => RowKey::Restriction(restriction.account.clone()),
            Self::DkimKey(sealed) => RowKey::DkimKey(sealed.key.name()),
            Self::Administrator(administrator) => RowKey::Administrator {
                account: administrator.account,
                canonical: administrator.canonical(),
            },
            Self::Probe(probe) => RowKey::Probe(probe.id.clone()),
            Self::Handover(handover) => RowKey::Handover(handover.id.clone()),
            Self::ApiToken(stored) => RowKey::ApiToken(stored.token.id.clone()),
            Self::Endpoint(sealed) => RowKey::Endpoint {
                account: sealed.account,
                name: sealed.name.clone(),
            },
        }
    }
}
