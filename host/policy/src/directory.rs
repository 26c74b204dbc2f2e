//! What a policy may know of the transaction's account, as a look-up in memory.

/// Accounts, their domains, addresses, credentials and settings. None of it may wait.
///
/// Every question is about one account, that of the transaction: nobody learns of another.
pub trait Directory: Send + Sync {
    /// The domain at which `account` receives mail for this address; `None` where it does not.
    fn destination(&self, account: &str, address: &str) -> Option<ReceivingDomain>;
    /// Whether `account` receives mail at this address.
    fn is_support_address(&self, account: &str, address: &str) -> bool;
    /// By what this address is a partner's of `account`; `None` where it is not.
    fn partner(&self, account: &str, address: &str) -> Option<Partner>;
    /// Whether every address of `account` is known.
    fn knows_addresses(&self, account: &str) -> bool;
    /// The product's name as the users of `account` know it; `None` where it has none.
    fn product(&self, account: &str) -> Option<String>;
    /// What the credential is good for with which this user has logged in.
    fn credential(&self, user: &str) -> Option<CredentialScope>;
    /// What `account` has set for this policy, as a JSON object.
    fn settings(&self, account: &str, policy: &str) -> Option<String>;
}

/// Knows nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDirectory;

impl Directory for NoDirectory {
    fn destination(&self, _: &str, _: &str) -> Option<ReceivingDomain> {
        None
    }
    fn is_support_address(&self, _: &str, _: &str) -> bool {
        false
    }
    fn partner(&self, _: &str, _: &str) -> Option<Partner> {
        None
    }
    fn knows_addresses(&self, _: &str) -> bool {
        false
    }
    fn product(&self, _: &str) -> Option<String> {
        None
    }
    fn credential(&self, _: &str) -> Option<CredentialScope> {
        None
    }
    fn settings(&self, _: &str, _: &str) -> Option<String> {
        None
    }
}

/// A domain at which an account receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivingDomain {
    /// In lower-case A-labels.
    pub domain: String,
    /// How mail comes to it.
    pub kind: DomainKind,
    /// How far it is the account's.
    pub state: DomainState,
    /// Who is known to forward its mail to us.
    pub forwarders: Forwarders,
}

/// How mail comes to a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DomainKind {
    /// The site has given it to the account; mail for it comes straight here.
    Native,
    /// The customer's own server relays its mail to us, with credentials of the domain.
    TwoWay,
    /// What comes in at the customer's own server is forwarded to us, without credentials.
    OutboundOnly,
}

/// How far a domain is the account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DomainState {
    /// The account says so; nothing follows from it.
    Claimed,
    /// It is.
    Verified,
    /// It was. It goes on receiving, and nothing vouches for its mail.
    Disconnected,
}

/// Who is known to forward the mail of a domain to us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forwarders {
    /// In CIDR form, such as `192.0.2.0/24`.
    pub networks: Vec<String>,
    /// Domains with which they sign (DKIM), or to which they rewrite the reverse-path, in lower-case
    /// A-labels.
    pub dkim_domains: Vec<String>,
    /// Domains with which they seal (ARC), in lower-case A-labels.
    pub arc_sealers: Vec<String>,
}

/// One with whom an account shares its tickets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Partner {
    /// Whether its whole domain is a partner's, and not the address itself.
    pub by_domain: bool,
    /// By what it is one.
    pub source: PartnerSource,
}

/// By what an address is a partner's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartnerSource {
    /// A sharing agreement with this account, which receives at it.
    Agreement(String),
    /// Somebody has added it.
    ByHand,
    /// It was imported, under this name.
    Import(String),
    /// It is in the feed with this URL.
    Feed(String),
}

/// What a credential is good for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CredentialScope {
    /// Relay to the support addresses of this domain, in lower-case A-labels.
    Inbound(String),
    /// Submission for the account.
    Submission,
}
