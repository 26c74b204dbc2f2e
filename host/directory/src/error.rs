//! Errors of the directory, with their reasons and what to do.

use std::path::PathBuf;

use gatepost_message::{Address, Domain, Millis};

use gatepost_connections::ConnectionName;
use gatepost_dkim::{Algorithm, Selector};

use crate::{
    AccountId, AccountKind, ConnectorId, EndpointName, EndpointScope, Name, PartnerEntry,
    PartnerSource, UserName,
};

/// Error of opening, reading or changing the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The file cannot be opened.
    #[error("the directory {} cannot be opened: {source}", path.display())]
    Open {
        /// Path of the file.
        path: PathBuf,
        /// Error of SQLite.
        source: rusqlite::Error,
    },
    /// The file is lost, and the key ring or log that belongs to it is not.
    #[error("the directory {} is {state}, but there {beside}: started without it, the relay would know no account and refuse their mail for good; put directory.db back from a backup, or, to begin with an empty directory, move these away first (lines of a key ring may be put back into the new one, above its own, so that ids of mail sent before are known); nothing has been changed", path.display())]
    Lost {
        /// Path of the file.
        path: PathBuf,
        /// State of the file: `missing`, `empty` or `without a table`.
        state: &'static str,
        /// File that is still there, such as `is its key ring /var/lib/gatepost/key-ring`.
        beside: String,
    },
    /// The file is damaged, or is not a directory of Gatepost.
    #[error("the directory {} cannot be used: {why}; put directory.db back from a backup; nothing has been changed, and `gatepost doctor` says more", path.display())]
    Unusable {
        /// Path of the file.
        path: PathBuf,
        /// Reason why it cannot be used.
        why: String,
    },
    /// SQLite returned an error.
    #[error("the directory failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A later version of Gatepost wrote the file.
    #[error("the directory {} has schema {found}, this relay knows up to {known}: run the version of gatepost that wrote it", path.display())]
    Newer {
        /// Path of the file.
        path: PathBuf,
        /// Schema version in the file.
        found: u32,
        /// Latest version that this relay knows.
        known: u32,
    },
    /// The file has another schema, and was to be read without an upgrade.
    #[error("the directory {} has schema {found}, this command reads {known}: run the version of gatepost that the relay is of", path.display())]
    Other {
        /// Path of the file.
        path: PathBuf,
        /// Schema version in the file.
        found: u32,
        /// Schema version that can be read.
        known: u32,
    },
    /// The key ring cannot be read or written.
    #[error("the key ring {} cannot be used: {source}; what is encrypted in the directory cannot be read without it: put it back from where it is kept", path.display())]
    KeyRing {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// A line of the key ring holds no key.
    #[error("line {line} of the key ring {} holds no key: a key is an id, a space and 32 bytes in base64", path.display())]
    Key {
        /// Path of the file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
    },
    /// The key ring lacks a key that is needed.
    #[error("the key ring {} lacks the key {id}, with which a part of the directory is encrypted: put its line back", path.display())]
    NoKey {
        /// Path of the file.
        path: PathBuf,
        /// Id of the key.
        id: String,
    },
    /// A stored value is not valid.
    #[error("the directory holds something damaged: {0}")]
    Damaged(String),
    /// The system gives no random numbers.
    #[error("the system's random numbers or ciphers failed")]
    Random,
    /// The thread of the directory cannot be started.
    #[error("cannot start a thread for the directory: {0}")]
    Thread(std::io::Error),
    /// The change is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Reason why a change is not allowed, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing has this name or id.
    #[error("there is no {what} {name}; `gatepost {what} list` shows those there are")]
    Unknown {
        /// Kind of the item.
        what: &'static str,
        /// Name or id that was given.
        name: String,
    },
    /// The domain belongs to an account, as its native one or by a verified connector.
    #[error(
        "the domain {domain} already belongs to account {owner}; a domain belongs to one account: take another, or have it removed there first"
    )]
    DomainTaken {
        /// Domain that was asked for.
        domain: Domain,
        /// Account that owns it.
        owner: AccountId,
    },
    /// The domain is in a sandbox and would be in production too, or the reverse.
    #[error(
        "the domain {domain} already belongs to account {owner} ({kind}), and a domain cannot be in a sandbox and in production at once, since its mail goes to one of them only: take another, or have it removed there first"
    )]
    DomainInOther {
        /// Domain that was asked for.
        domain: Domain,
        /// Account that owns it.
        owner: AccountId,
        /// Kind of that account.
        kind: AccountKind,
    },
    /// The account has an administrator with this address.
    #[error("{address} is an administrator of account {account} already")]
    AdministratorExists {
        /// Account that was named.
        account: AccountId,
        /// Address that was named.
        address: Address,
    },
    /// The account has the maximum number of administrators.
    #[error("account {account} has {limit} administrators, as many as it may have; remove one")]
    TooManyAdministrators {
        /// Account that was to get another.
        account: AccountId,
        /// Maximum number of administrators.
        limit: usize,
    },
    /// The account has no administrator with this address.
    #[error(
        "{address} is no administrator of account {account}; `gatepost administrator list` shows those there are"
    )]
    NoAdministrator {
        /// Account that was named.
        account: AccountId,
        /// Address that was named.
        address: Address,
    },
    /// A code was sent to the address a moment ago.
    #[error("a code was sent to {address} a moment ago: another can be sent after {again}")]
    CodeSentLately {
        /// Address of the administrator.
        address: Address,
        /// Time from which on another can be sent.
        again: Millis,
    },
    /// The account is being erased.
    #[error("account {0} is being erased: nothing of it can be changed any more")]
    BeingErased(AccountId),
    /// The account is no sandbox.
    #[error(
        "account {0} is for production, and has no test users: `gatepost account set-sandbox` makes it a sandbox"
    )]
    NotSandbox(AccountId),
    /// The address is none of a test user of the sandbox.
    #[error(
        "{address} is no test user of account {account}; `gatepost account test-user list` shows those there are"
    )]
    NoTestUser {
        /// Account that was named.
        account: AccountId,
        /// Address that was named.
        address: Address,
    },
    /// The sandbox has the maximum number of test users.
    #[error("account {account} has {limit} test users, as many as it may have; remove one")]
    TooManyTestUsers {
        /// Account that was to get another.
        account: AccountId,
        /// Maximum number of test users.
        limit: usize,
    },
    /// The domain belongs to an account of the configuration.
    #[error(
        "the domain {domain} already belongs to account {owner} of the configuration; a domain belongs to one account: take another, or take it out of the domains of that [[account]] first"
    )]
    DomainReserved {
        /// Domain that was asked for.
        domain: Domain,
        /// Account that owns it.
        owner: String,
    },
    /// The account has connected the domain before.
    #[error("account {account} has connected {domain} already: change or remove that connector")]
    Connected {
        /// Account of the connector.
        account: AccountId,
        /// Domain of the connector.
        domain: Domain,
    },
    /// The account has the maximum number of domains.
    #[error(
        "account {account} has {limit} connected domains, as many as it may have; remove one, or raise domains-per-account in [directory]"
    )]
    TooManyDomains {
        /// Account that was to get another.
        account: AccountId,
        /// Maximum number of domains.
        limit: usize,
    },
    /// The address belongs to another account of the same kind, or to this one already.
    #[error(
        "the address {address} already belongs to account {owner}; an address belongs to one account: take another, or remove it there first"
    )]
    AddressTaken {
        /// Address that was asked for.
        address: Address,
        /// Account that owns it.
        owner: AccountId,
    },
    /// The address is in a sandbox and would be in production too, or the reverse.
    #[error(
        "the address {address} already belongs to the {kind} account {owner}, and an address cannot be in a sandbox and in production at once, since mail for it goes to one of them only: take another, or remove it there first"
    )]
    AddressInOther {
        /// Address that was asked for.
        address: Address,
        /// Account that owns it.
        owner: AccountId,
        /// Kind of that account.
        kind: AccountKind,
    },
    /// The address is in no domain of the account.
    #[error(
        "the address {address} is in no domain of account {account}: support addresses are in its native domain or in one that it has connected; `gatepost connector add` connects one"
    )]
    ForeignAddress {
        /// Address that was asked for.
        address: Address,
        /// Account that was to get it.
        account: AccountId,
    },
    /// The domain has the maximum number of addresses.
    #[error(
        "the domain {domain} has {limit} support addresses, as many as it may have; remove one, or raise addresses-per-domain in [directory]"
    )]
    TooManyAddresses {
        /// Domain of the addresses.
        domain: Domain,
        /// Maximum number of addresses.
        limit: usize,
    },
    /// The maximum number of credentials for this use is live.
    #[error(
        "{limit} credentials are live for this already, as many as may be; retire one, or raise live-sets in [directory]"
    )]
    TooManyCredentials {
        /// Maximum number of live credentials.
        limit: usize,
    },
    /// The maximum number of tokens of the HTTP API is in force.
    #[error(
        "{limit} tokens are in force for this already, as many as may be; remove one with `gatepost token remove`"
    )]
    TooManyTokens {
        /// Maximum number of tokens.
        limit: usize,
    },
    /// An inbound credential was asked for a domain that is not two-way.
    #[error(
        "the connector {0} is not two-way: mail of its domain is forwarded to us without credentials; `gatepost connector set-kind` makes it two-way, so that its server relays"
    )]
    NotTwoWay(ConnectorId),
    /// The way out was vouched for of a domain whose mail leaves through no server of the customer.
    #[error(
        "the connector {0} is forwarded: its mail leaves by the default route, in its own name where DKIM or SPF proves it; `gatepost connector set-kind` has it leave through the customer's server"
    )]
    NoSmartHost(ConnectorId),
    /// A live credential has the account's alias.
    #[error("the alias {alias} is given to credential {holder}; retire that one first")]
    AliasTaken {
        /// Alias of the account.
        alias: Address,
        /// Credential that has it.
        holder: UserName,
    },
    /// The credential has been used, and a new secret would break the log-in of its owner.
    #[error(
        "credential {0} has logged in already, and a link would need a new secret for it: issue another credential, hand that over, and retire this one when it is used no more"
    )]
    CredentialUsed(UserName),
    /// The native domain is too long to make an alias of.
    #[error("the native domain {0} is too long to make an alias of")]
    NoAlias(Domain),
    /// The domain of the connector is not the account's own.
    #[error(
        "the domain of connector {0} is not confirmed to be the account's: run `gatepost connector vouch` first"
    )]
    NotOwned(ConnectorId),
    /// The return path is not below the domain whose mail it is for.
    #[error(
        "{domain} is not a name below {of}, so that SPF would not agree with From; name one such as bounces.{of}"
    )]
    ForeignReturnPath {
        /// Domain that was asked for.
        domain: Domain,
        /// Domain of the connector.
        of: Domain,
    },
    /// The connector is only claimed, so it cannot be disconnected, or connected again.
    #[error("the connector {0} is only claimed: there is nothing to disconnect; remove it")]
    NotVerified(ConnectorId),
    /// The address is in the native domain, which is the site's own.
    #[error(
        "the address {0} is in the native domain: no server of the customer is connected for it, and there is nothing to disconnect"
    )]
    NotConnected(Address),
    /// The credential was used a short time ago.
    #[error(
        "the credential {user} was used on {last_used}: whoever uses it would be locked out; wait until it is unused, or retire it with --force"
    )]
    CredentialInUse {
        /// Credential that was to be retired.
        user: UserName,
        /// Time of its last use.
        last_used: Millis,
    },
    /// The use of the credential has ended.
    #[error("the use of credential {0} has ended: issue a new one with `gatepost credential add`")]
    CredentialEnded(UserName),
    /// The credential is being rotated.
    #[error(
        "credentials {former} and {next} are both live: switch to {next} and retire {former} first"
    )]
    RotationUnderWay {
        /// Former credential.
        former: UserName,
        /// Credential that takes its place.
        next: UserName,
    },
    /// The account was to share with itself.
    #[error("account {0} cannot share with itself: name the account that it shares with")]
    SharesWithItself(AccountId),
    /// The accounts share already.
    #[error("accounts {one} and {other} have a sharing agreement already")]
    Shares {
        /// Account with the lesser id.
        one: AccountId,
        /// Account with the greater id.
        other: AccountId,
    },
    /// The accounts do not share.
    #[error(
        "accounts {one} and {other} have no sharing agreement; `gatepost sharing list` shows those there are"
    )]
    SharesNot {
        /// Account with the lesser id.
        one: AccountId,
        /// Account with the greater id.
        other: AccountId,
    },
    /// The entry is an address or a domain of the account itself.
    #[error("{entry} is account {account}'s own: nobody is a partner of themselves")]
    OwnAddress {
        /// Entry that was to be added.
        entry: PartnerEntry,
        /// Account that owns it.
        account: AccountId,
    },
    /// The account has not added or imported the entry.
    #[error("account {account} has not added or imported {entry}; {}", holds(by.as_ref()))]
    NoPartner {
        /// Entry that was to be removed.
        entry: PartnerEntry,
        /// Account that was named.
        account: AccountId,
        /// Source by which the address is a partner nevertheless.
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
        /// Account that was named.
        account: AccountId,
        /// List that was named.
        list: PartnerSource,
    },
    /// The list holds a whole domain, and domains were not asked for.
    #[error(
        "{0} is a whole domain, which silences people too: ask for whole domains with --domains if that is meant"
    )]
    WholeDomain(PartnerEntry),
    /// The account has the maximum number of connections.
    #[error(
        "account {account} has {limit} connections, as many as it may have; remove one, or raise connections-per-account in [directory]"
    )]
    TooManyConnections {
        /// Account that was to get another.
        account: AccountId,
        /// Maximum number of connections.
        limit: usize,
    },
    /// A connection was to serve a sender that is not its account's.
    #[error(
        "{sender} is no sender of account {account} that a connection can serve: name a domain that it has connected, an address in one, or one of its brands"
    )]
    ForeignSender {
        /// Sender that was named.
        sender: String,
        /// Account of the connection.
        account: AccountId,
    },
    /// Another connection of the account serves the sender.
    #[error("{sender} leaves by connection {connection} already: take it out there first")]
    ServedTwice {
        /// Sender that was named.
        sender: String,
        /// Connection that serves it.
        connection: ConnectionName,
    },
    /// The account has the maximum number of endpoints.
    #[error("account {account} has {limit} endpoints, as many as it may have: remove one")]
    TooManyEndpoints {
        /// Account that was to get another.
        account: AccountId,
        /// Maximum number of endpoints.
        limit: usize,
    },
    /// Another endpoint of the account is for the same recipients.
    #[error("endpoint {endpoint} is for {scope} already: change that one, or remove it first")]
    EndpointTwice {
        /// Recipients that were named.
        scope: EndpointScope,
        /// Endpoint that gets their mail.
        endpoint: EndpointName,
    },
    /// The domain is none that the account has connected.
    #[error(
        "{domain} is no domain that account {account} has connected; `gatepost connector add` connects one"
    )]
    ForeignDomain {
        /// Domain that was named.
        domain: Domain,
        /// Account that was named.
        account: AccountId,
    },
    /// There is no such DKIM key.
    #[error(
        "there is no DKIM key of {domain} at {selector}; `gatepost dkim show` shows those there are"
    )]
    NoDkimKey {
        /// Domain that was named.
        domain: String,
        /// Selector that was named.
        selector: Selector,
    },
    /// A key of the domain waits for its record.
    #[error(
        "a key of {domain} waits for its record already: publish that of selector {selector}, or retire the key"
    )]
    DkimKeyWaits {
        /// Domain of the key.
        domain: Domain,
        /// Selector of the key that waits.
        selector: Selector,
    },
    /// The directory has changed since the revision that a change expects.
    #[error("something was changed meanwhile")]
    ChangedMeanwhile,
    /// Both selectors of the domain are in use.
    #[error(
        "both selectors for {algorithm} keys of {domain} are in use: retire a key; its selector is free again a week later, when no mail signed with it is on its way"
    )]
    DkimSelectorsTaken {
        /// Domain of the keys.
        domain: Domain,
        /// Algorithm of the keys.
        algorithm: Algorithm,
    },
    /// The account has no such brand.
    #[error("account {account} has no brand {brand}; `gatepost account show` shows its brands")]
    NoBrand {
        /// Account that was named.
        account: AccountId,
        /// Brand that was named.
        brand: Name,
    },
    /// The account would have too many brands.
    #[error(
        "an account has {limit} brands at most: remove one first with `gatepost account change`"
    )]
    TooManyBrands {
        /// Maximum number of brands.
        limit: usize,
    },
    /// The default address would be in a connected domain.
    #[error(
        "{0} is in a connected domain: a default address is a support address in the native domain, in whose name mail leaves whatever becomes of the others"
    )]
    DefaultNotNative(Address),
    /// The address is a default address.
    #[error(
        "{address} is a default address of account {account}: name another one first with `gatepost account set-default-address`"
    )]
    DefaultAddress {
        /// Address that was to be removed.
        address: Address,
        /// Account that has it.
        account: AccountId,
    },
    /// The item still owns something that would be lost with it.
    #[error("{what} still has {contents}: remove these first")]
    NotEmpty {
        /// Item that was to be removed.
        what: String,
        /// Contents that it still has.
        contents: &'static str,
    },
}

fn holds(by: Option<&PartnerSource>) -> String {
    match by {
        None => "`gatepost partner list` shows what it has".to_owned(),
        Some(by) => format!("it is a partner by {by}: change that"),
    }
}
