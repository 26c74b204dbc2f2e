//! What cannot be done, why, and what to do.

use std::path::PathBuf;

use gatepost_message::{Address, Domain};

use crate::{AccountId, AccountKind, ConnectorId, PartnerEntry, PartnerSource, UserName};

/// The directory cannot be opened, read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The file cannot be opened.
    #[error("the directory {} cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is gone, and the key ring that was made with it is not.
    #[error("the directory {} is {state}, but there {beside}: started without it, the relay would know no account and refuse their mail for good; put directory.db back from a backup, or, to begin with an empty directory, move these away first (lines of a key ring may be put back into the new one, above its own, so that ids of mail sent before are known); nothing has been changed", path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// `missing`, `empty` or `without a table`.
        state: &'static str,
        /// What is there, such as `is its key ring /var/lib/gatepost/key-ring`.
        beside: String,
    },
    /// The file is damaged, or is not one of ours.
    #[error("the directory {} cannot be used: {why}; put directory.db back from a backup; nothing has been changed, and `gatepost doctor` says more", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// SQLite refused.
    #[error("the directory failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// It was written by a later version of Gatepost.
    #[error("the directory {} has schema {found}, this relay knows up to {known}: run the version of gatepost that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Schema version in the file.
        found: u32,
        /// Latest version that this relay knows.
        known: u32,
    },
    /// It is of another schema, and was only to be read.
    #[error("the directory {} has schema {found}, this command reads {known}: run the version of gatepost that the relay is of", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// Schema version in the file.
        found: u32,
        /// The version that is read.
        known: u32,
    },
    /// The file of keys cannot be read or written.
    #[error("the key ring {} cannot be used: {source}; what is encrypted in the directory cannot be read without it: put it back from where it is kept", path.display())]
    KeyRing {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of it holds no key.
    #[error("line {line} of the key ring {} holds no key: a key is an id, a space and 32 octets in base64", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// A key that is needed is not there.
    #[error("the key ring {} lacks the key {id}, with which a part of the directory is encrypted: put its line back", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// Which key.
        id: String,
    },
    /// Something in the store cannot be what was written.
    #[error("the directory holds something damaged: {0}")]
    Damaged(String),
    /// The system gives no random numbers.
    #[error("the system's random numbers or ciphers failed")]
    Random,
    /// A thread cannot be started.
    #[error("cannot start a thread for the directory: {0}")]
    Thread(std::io::Error),
    /// It may not be so.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Why something may not be so, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing goes by this name.
    #[error("there is no {what} {name}; `gatepost {what} list` shows those there are")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// By what.
        name: String,
    },
    /// The domain belongs to an account, as its native one or connected and verified.
    #[error(
        "the domain {domain} already belongs to account {owner}; a domain belongs to one account: take another, or have it removed there first"
    )]
    DomainTaken {
        /// Which.
        domain: Domain,
        /// Whose.
        owner: AccountId,
    },
    /// The domain belongs to an account of the configuration.
    #[error(
        "the domain {domain} already belongs to account {owner} of the configuration; a domain belongs to one account: take another, or take it out of the domains of that [[account]] first"
    )]
    DomainReserved {
        /// Which.
        domain: Domain,
        /// Whose.
        owner: String,
    },
    /// The account has connected the domain before.
    #[error("account {account} has connected {domain} already: change or remove that connector")]
    Connected {
        /// Which account.
        account: AccountId,
        /// Which domain.
        domain: Domain,
    },
    /// The account has as many domains as it may have.
    #[error(
        "account {account} has {limit} connected domains, as many as it may have; remove one, or raise domains-per-account in [directory]"
    )]
    TooManyDomains {
        /// Which account.
        account: AccountId,
        /// How many it may have.
        limit: usize,
    },
    /// The address is another account's of the same kind, or this one's already.
    #[error(
        "the address {address} already belongs to account {owner}; an address belongs to one account: take another, or remove it there first"
    )]
    AddressTaken {
        /// Which.
        address: Address,
        /// Whose.
        owner: AccountId,
    },
    /// The address is in a sandbox, and would be in production, or the reverse.
    #[error(
        "the address {address} already belongs to the {kind} account {owner}, and an address cannot be in a sandbox and in production at once, since mail for it goes to one of them only: take another, or remove it there first"
    )]
    AddressInOther {
        /// Which.
        address: Address,
        /// Whose.
        owner: AccountId,
        /// What that account is for.
        kind: AccountKind,
    },
    /// The address is in no domain of the account.
    #[error(
        "the address {address} is in no domain of account {account}: support addresses are in its native domain or in one that it has connected; `gatepost connector add` connects one"
    )]
    ForeignAddress {
        /// Which.
        address: Address,
        /// Whose it was to be.
        account: AccountId,
    },
    /// The domain has as many addresses as it may have.
    #[error(
        "the domain {domain} has {limit} support addresses, as many as it may have; remove one, or raise addresses-per-domain in [directory]"
    )]
    TooManyAddresses {
        /// Which domain.
        domain: Domain,
        /// How many it may have.
        limit: usize,
    },
    /// As many credentials of this use are live as may be.
    #[error(
        "{limit} credentials are live for this already, as many as may be; revoke one, or raise live-sets in [directory]"
    )]
    TooManyCredentials {
        /// How many may be live.
        limit: usize,
    },
    /// Inbound credentials are of two-way domains.
    #[error(
        "the connector {0} is outbound-only: mail of its domain is forwarded to us without credentials; connect the domain as two-way to let its server relay"
    )]
    NotTwoWay(ConnectorId),
    /// The account's alias is given to another credential.
    #[error("the alias {alias} is given to credential {holder}; revoke that one first")]
    AliasTaken {
        /// The alias.
        alias: Address,
        /// Who has it.
        holder: UserName,
    },
    /// The native domain makes no address that could be the alias.
    #[error("the native domain {0} is too long to make an alias of")]
    NoAlias(Domain),
    /// A claim is neither verified nor can it be disconnected.
    #[error("the connector {0} is only claimed: there is nothing to disconnect; remove it")]
    NotVerified(ConnectorId),
    /// Nobody shares with themselves.
    #[error("account {0} cannot share with itself: name the account that it shares with")]
    SharesWithItself(AccountId),
    /// They have an agreement.
    #[error("accounts {one} and {other} have a sharing agreement already")]
    Shares {
        /// One of them.
        one: AccountId,
        /// The other.
        other: AccountId,
    },
    /// They have none.
    #[error(
        "accounts {one} and {other} have no sharing agreement; `gatepost sharing list` shows those there are"
    )]
    SharesNot {
        /// One of them.
        one: AccountId,
        /// The other.
        other: AccountId,
    },
    /// A partner would be the account itself.
    #[error("{entry} is account {account}'s own: nobody is a partner of themselves")]
    OwnAddress {
        /// What was to be a partner.
        entry: PartnerEntry,
        /// Whose it is.
        account: AccountId,
    },
    /// The account has no such entry of its own making.
    #[error("account {account} has not added or imported {entry}; {}", holds(by.as_ref()))]
    NoPartner {
        /// What was to be removed.
        entry: PartnerEntry,
        /// Whose it was to be.
        account: AccountId,
        /// By what it is a partner nevertheless.
        by: Option<PartnerSource>,
    },
    /// The import has ended.
    #[error(
        "this import is not known any more: the relay was started again, or another import for the account has begun; nothing of it was put in, begin it again"
    )]
    NoImport,
    /// The account has no such list.
    #[error(
        "account {account} has no entries by {list}; `gatepost partner list` shows what it has"
    )]
    NoPartnerList {
        /// Which account.
        account: AccountId,
        /// Which list.
        list: PartnerSource,
    },
    /// Whole domains were not asked for.
    #[error(
        "{0} is a whole domain, which silences people too: ask for whole domains with --domains if that is meant"
    )]
    WholeDomain(PartnerEntry),
    /// Something is there that would be lost with it.
    #[error("{what} still has {contents}: remove these first")]
    NotEmpty {
        /// What was to be removed.
        what: String,
        /// What it has.
        contents: &'static str,
    },
}

fn holds(by: Option<&PartnerSource>) -> String {
    match by {
        None => "`gatepost partner list` shows what it has".to_owned(),
        Some(by) => format!("it is a partner by {by}: change that"),
    }
}
