//! The directory as policies see it: look-ups in memory about the transaction's account.

/// Accounts with their domains, addresses, credentials and settings. No method may wait.
///
/// Every look-up is about one account, that of the transaction: no policy learns of another.
pub trait Directory: Send + Sync {
    /// Returns the domain at which `account` receives mail for this address; `None` if it does not.
    fn destination(&self, account: &str, address: &str) -> Option<ReceivingDomain>;
    /// Returns true if `account` receives mail at this address.
    fn is_support_address(&self, account: &str, address: &str) -> bool;
    /// Returns the partner entry of `account` for this address; `None` if it has none.
    fn partner(&self, account: &str, address: &str) -> Option<Partner>;
    /// Returns true if every address of `account` is known.
    fn knows_addresses(&self, account: &str) -> bool;
    /// Returns the product's name as the users of `account` know it; `None` if it has none.
    fn product(&self, account: &str) -> Option<String>;
    /// Returns the scope of the credential with which this user has logged in.
    fn credential(&self, user: &str) -> Option<CredentialScope>;
    /// Returns the settings of `account` for this policy, as a JSON object.
    fn settings(&self, account: &str, policy: &str) -> Option<String>;
}

/// Directory without accounts.
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

/// Domain at which an account receives mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivingDomain {
    /// Name in lower-case A-labels.
    pub domain: String,
    /// Way by which its mail arrives.
    pub kind: DomainKind,
    /// State of its verification.
    pub state: DomainState,
    /// Known forwarders of its mail.
    pub forwarders: Forwarders,
}

/// Way by which mail for a domain arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DomainKind {
    /// Direct delivery: the site gave the domain to the account.
    Native,
    /// Relaying by the customer's own server, with credentials of the domain.
    TwoWay,
    /// Forwarding by the customer's own server, without credentials.
    OutboundOnly,
}

/// State of a domain's verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DomainState {
    /// Claimed by the account, without consequences.
    Claimed,
    /// Verified as the account's.
    Verified,
    /// Formerly verified. It still receives mail, and nothing vouches for that mail.
    Disconnected,
}

/// Known forwarders of a domain's mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forwarders {
    /// Networks in CIDR form, such as `192.0.2.0/24`.
    pub networks: Vec<String>,
    /// Domains with which they sign (DKIM), or to which they rewrite the reverse-path, in
    /// lower-case A-labels.
    pub dkim_domains: Vec<String>,
    /// Domains with which they seal (ARC), in lower-case A-labels.
    pub arc_sealers: Vec<String>,
}

/// Partner with whom an account shares tickets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Partner {
    /// True if the entry covers the whole domain, false if it names the address.
    pub by_domain: bool,
    /// Source of the entry.
    pub source: PartnerSource,
}

/// Source of a partner entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartnerSource {
    /// Sharing agreement with this account, which receives mail at the address.
    Agreement(String),
    /// Added by hand.
    ByHand,
    /// Imported under this name.
    Import(String),
    /// Listed in the feed with this URL.
    Feed(String),
}

/// Scope of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CredentialScope {
    /// Inbound mail for the support addresses of this domain, in lower-case A-labels.
    Inbound(String),
    /// Submission for the account.
    Submission,
}
