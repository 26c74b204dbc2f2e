//! Look-ups in the directory: the transaction's account and the client's credential.
//!
//! As with [`authentication`](crate::authentication::authentication()), a policy imports the
//! directory by calling one of these functions. They tell nothing of other accounts, and nothing at
//! all before the account is fixed (in the connect hook).
//!
//! ```
//! use gatepost_sdk::*;
//!
//! # struct Strict;
//! # impl Policy for Strict {
//! # type Settings = ();
//! # fn new((): ()) -> Result<Self, Vec<String>> { Ok(Self) }
//! /// A customer's server hands over mail for its own domain alone.
//! fn recipient(&self, _: &Transaction, recipient: &str, _: &dyn Facts, _: &mut Decision) -> Verdict {
//!     let Some(CredentialScope::Inbound(domain)) = credential().map(|credential| credential.scope) else {
//!         return Verdict::Pass;
//!     };
//!     match receiving_domain(recipient) {
//!         Some(of) if of == domain => Verdict::Pass,
//!         _ => Verdict::reject(550, "5.7.1", "your credentials are for another domain"),
//!     }
//! }
//! # }
//!
//! let mut given = native::Given { user: Some("relay".into()), ..native::Given::default() };
//! given.directory.credential = Some(CredentialScope::Inbound("customer.example".into()));
//! let _given = given.give();
//! assert_eq!(receiving_domain("help@customer.example"), None);
//! ```

#[cfg(not(target_arch = "wasm32"))]
use gatepost_message::canonical_form;
use serde::{Deserialize, Serialize};

#[cfg(not(target_arch = "wasm32"))]
use crate::answers::ACCOUNT;

/// Way in which mail comes to a domain.
///
/// ```
/// use gatepost_sdk::DomainKind;
///
/// /// Whose mail comes with credentials, if it comes as it should.
/// fn has_relay(kind: DomainKind) -> bool {
///     kind == DomainKind::TwoWay
/// }
/// assert!(!has_relay(DomainKind::Native));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainKind {
    /// Given to the account by the site; mail for it comes straight here.
    #[default]
    Native,
    /// Connected both ways: the customer's own server relays its mail to us, with credentials of
    /// the domain.
    TwoWay,
    /// Connected outbound only: the customer's own server forwards incoming mail to us, without
    /// credentials, and takes the mail that leaves.
    OutboundOnly,
    /// Connected by forwarding: the customer's own server forwards incoming mail to us, without
    /// credentials. The mail that leaves does not pass through it.
    Forwarded,
    /// None of these.
    Other,
}

/// State of an account's claim to a domain.
///
/// ```
/// use gatepost_sdk::{DomainState, domain_state};
///
/// fn is_vouched_for(recipient: &str) -> bool {
///     domain_state(recipient) == Some(DomainState::Verified)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainState {
    /// Claimed by the account; nothing follows from it.
    Claimed,
    /// Proved to be the account's.
    #[default]
    Verified,
    /// No longer the account's. The domain goes on receiving, and nothing vouches for its mail.
    Disconnected,
    /// None of these.
    Other,
}

/// Servers known to forward a domain's mail to us, for whoever answers.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Forwarders {
    /// Networks in CIDR form, such as `192.0.2.0/24`.
    pub networks: Vec<String>,
    /// Domains that they sign with (DKIM), or rewrite the reverse-path to, in lower-case A-labels.
    pub dkim_domains: Vec<String>,
    /// Domains that they seal with (ARC), in lower-case A-labels.
    pub arc_sealers: Vec<String>,
}

/// A domain at which the account receives, for whoever answers.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReceivingDomain {
    /// Name in lower-case A-labels.
    pub domain: String,
    /// Way in which mail comes to it.
    pub kind: DomainKind,
    /// State of the account's claim to it.
    pub state: DomainState,
    /// Servers known to forward its mail to us.
    pub forwarders: Forwarders,
    /// True if the message came to the address's forwarding target.
    pub by_target: bool,
}

/// Address or domain with which the account shares tickets.
///
/// ```
/// use gatepost_sdk::directory::{Partner, PartnerSource};
///
/// /// Who is one for sure, and not by the company that they keep.
/// fn is_exact(partner: &Partner) -> bool {
///     !partner.by_domain && partner.source != PartnerSource::ByHand
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Partner {
    /// True if the whole domain is a partner's, and not only the address.
    pub by_domain: bool,
    /// Source of the partnership.
    pub source: PartnerSource,
}

/// Source from which an address is known as a partner's.
///
/// ```
/// use gatepost_sdk::directory::PartnerSource;
///
/// let source = PartnerSource::Imported("crm".into());
/// assert_eq!(source.to_string(), "the import crm");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartnerSource {
    /// Sharing agreement with this account, of which it is a support address.
    Agreement(String),
    /// Entry made by hand.
    ByHand,
    /// Import under this name.
    #[serde(rename = "import")]
    Imported(String),
    /// Feed with this URL.
    Feed(String),
    /// None of these.
    Other,
}

impl std::fmt::Display for PartnerSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agreement(account) => write!(f, "the sharing agreement with account {account}"),
            Self::ByHand => f.write_str("an entry by hand"),
            Self::Imported(name) => write!(f, "the import {name}"),
            Self::Feed(url) => write!(f, "the feed {url}"),
            Self::Other => f.write_str("another source"),
        }
    }
}

/// Right that a credential gives.
///
/// ```
/// use gatepost_sdk::CredentialScope;
///
/// let scope = CredentialScope::Inbound("customer.example".into());
/// assert_ne!(scope, CredentialScope::Submission);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialScope {
    /// Relay to the support addresses of this domain, in lower-case A-labels.
    Inbound(String),
    /// Submission for the account.
    Submission,
    /// None of these.
    Other,
}

/// Credential that the client has proved.
///
/// ```
/// use gatepost_sdk::*;
///
/// fn submits(credential: &Credential) -> bool {
///     credential.scope == CredentialScope::Submission
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Credential {
    /// User name.
    pub user: String,
    /// Right that it gives.
    pub scope: CredentialScope,
}

/// Answers to the look-ups, by whoever knows the accounts: the relay, or a fixture. No method may
/// wait.
///
/// Every look-up is about one account, that of the transaction: no policy learns of another.
#[cfg(not(target_arch = "wasm32"))]
#[allow(unused_variables)]
pub trait Directory: Send + Sync {
    /// Answers [`receiving_domain`] and the look-ups of its parts.
    fn destination(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
        None
    }
    /// Answers the same about a message that came to the address's forwarding target, where
    /// forwarders may be known that count nowhere else.
    fn destination_by_target(&self, account: &str, address: &str) -> Option<ReceivingDomain> {
        let found = self.destination(account, address)?;
        Some(ReceivingDomain {
            by_target: true,
            ..found
        })
    }
    /// Answers [`is_support_address`].
    fn is_support_address(&self, account: &str, address: &str) -> bool {
        false
    }
    /// Answers [`own_domain`].
    fn own_domain(&self, account: &str, domain: &str) -> Option<DomainState> {
        None
    }
    /// Answers [`partner`].
    fn partner(&self, account: &str, address: &str) -> Option<Partner> {
        None
    }
    /// Answers [`knows_addresses`].
    fn knows_addresses(&self, account: &str) -> bool {
        false
    }
    /// Answers [`product`].
    fn product(&self, account: &str) -> Option<String> {
        None
    }
    /// Returns the scope of the [`credential`] with which this user has logged in.
    fn credential(&self, user: &str) -> Option<CredentialScope> {
        None
    }
    /// Returns the settings of `account` for this policy, as a JSON object.
    fn settings(&self, account: &str, policy: &str) -> Option<String> {
        None
    }
}

/// Directory without accounts.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDirectory;

#[cfg(not(target_arch = "wasm32"))]
impl Directory for NoDirectory {}

/// Returns the domain at which the account receives mail for this address, in lower-case A-labels;
/// `None` if the address is not the account's.
///
/// In a native test, this and the functions about its parts return one of the `destinations` that
/// the test has given.
///
/// ```
/// use gatepost_sdk::*;
///
/// let domain = directory::ReceivingDomain {
///     domain: "customer.example".into(),
///     kind: DomainKind::TwoWay,
///     ..Default::default()
/// };
/// let mut given = native::Given::default();
/// given.directory.destinations = [("help@customer.example".to_owned(), domain)].into();
/// let _given = given.give();
/// assert_eq!(receiving_domain("help@customer.example").unwrap(), "customer.example");
/// assert_eq!(domain_kind("help@customer.example"), Some(DomainKind::TwoWay));
/// assert_eq!(receiving_domain("help@other.example"), None);
/// ```
pub fn receiving_domain(address: &str) -> Option<String> {
    look_up!(directory::receiving_domain(address), |known| known
        .destination(address)
        .map(|of| of.domain))
}

/// Returns the way in which mail comes to the [`receiving_domain`] of an address.
///
/// ```
/// // Nobody has given this test an address.
/// assert_eq!(gatepost_sdk::domain_kind("help@desk.example"), None);
/// ```
pub fn domain_kind(address: &str) -> Option<DomainKind> {
    look_up!(directory::domain_kind_of(address), |known| known
        .destination(address)
        .map(|of| of.kind))
}

/// Returns the state of the account's claim to the [`receiving_domain`] of an address.
///
/// ```
/// // Nobody has given this test an address.
/// assert_eq!(gatepost_sdk::domain_state("help@desk.example"), None);
/// ```
pub fn domain_state(address: &str) -> Option<DomainState> {
    look_up!(directory::domain_state_of(address), |known| known
        .destination(address)
        .map(|of| of.state))
}

/// Returns the networks of those who are known to forward mail for this address, in CIDR form.
///
/// Whether a message came by one of them is the relay's to say:
/// [`arrival`](crate::authentication::arrival()).
///
/// ```
/// // Nobody has given this test an address.
/// assert!(gatepost_sdk::forwarder_networks("help@desk.example").is_empty());
/// ```
pub fn forwarder_networks(address: &str) -> Vec<String> {
    look_up!(directory::forwarder_networks(address), |known| known
        .forwarders(address)
        .networks)
}

/// Returns the domains with which forwarders of mail for this address sign (DKIM), or to which they
/// rewrite the reverse-path, in lower-case A-labels.
///
/// ```
/// // Nobody has given this test an address.
/// assert!(gatepost_sdk::forwarder_domains("help@desk.example").is_empty());
/// ```
pub fn forwarder_domains(address: &str) -> Vec<String> {
    look_up!(directory::forwarder_domains(address), |known| known
        .forwarders(address)
        .dkim_domains)
}

/// Returns the domains with which forwarders of mail for this address seal (ARC), in lower-case
/// A-labels.
///
/// ```
/// // Nobody has given this test an address.
/// assert!(gatepost_sdk::forwarder_sealers("help@desk.example").is_empty());
/// ```
pub fn forwarder_sealers(address: &str) -> Vec<String> {
    look_up!(directory::forwarder_sealers(address), |known| known
        .forwarders(address)
        .arc_sealers)
}

/// Returns true if the account receives mail at this address, sub-addresses (RFC 5233) included.
///
/// In a native test, returns true for the addresses that have one of its `destinations`.
///
/// ```
/// // Nobody has given this test an address.
/// assert!(!gatepost_sdk::is_support_address("help@desk.example"));
/// ```
pub fn is_support_address(address: &str) -> bool {
    look_up!(directory::is_support_address(address), |known| known
        .directory
        .is_support_address(ACCOUNT, address))
}

/// Returns the state of a domain of the account, whether or not it receives at an address in it:
/// its native domain, one that it has connected, or one that the configuration gives it to receive
/// at or to send from. `None` if the domain is somebody else's; a sub-domain is another domain.
///
/// In a native test, returns the state of one of the `own_domains` that the test has given, or of
/// the domain of a `destination`.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// Mail in the name of the account's own people, of whom nobody proves that they wrote it.
/// fn is_impersonation(author: &Address, facts: &Authentication) -> bool {
///     own_domain(author.domain()) == Some(DomainState::Verified) && !facts.has_aligned_pass()
/// }
///
/// let mut given = native::Given::default();
/// let own = ("customer.example".to_owned(), DomainState::Verified);
/// given.directory.own_domains = [own].into();
/// let _given = given.give();
/// let facts = Authentication::default();
/// assert!(is_impersonation(&"boss@Customer.example".parse().unwrap(), &facts));
/// assert!(!is_impersonation(&"ann@shop.example".parse().unwrap(), &facts));
/// ```
pub fn own_domain(domain: &str) -> Option<DomainState> {
    look_up!(directory::own_domain(domain), |known| known
        .directory
        .own_domain(ACCOUNT, domain))
}

/// Returns the partner that an address belongs to. Case, quotes, sub-address and the wrapping of
/// forwarders do not matter. `None` if it belongs to none, and for every address at which the
/// account itself receives.
///
/// In a native test, returns one of the `partners` that the test has given.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// Whom the account shares its tickets with is not written to as well.
/// fn shared_with(transaction: &Transaction) -> Vec<(&str, Partner)> {
///     let recipients = transaction.recipients.iter();
///     recipients.filter_map(|to| Some((to.as_str(), partner(to)?))).collect()
/// }
///
/// let mut given = native::Given::default();
/// given.directory.partners = [("support@other.example".to_owned(), PartnerSource::ByHand)].into();
/// let _given = given.give();
/// assert_eq!(partner("Support+42@other.example").unwrap().source, PartnerSource::ByHand);
/// assert_eq!(partner("ann@other.example"), None);
/// ```
pub fn partner(address: &str) -> Option<Partner> {
    look_up!(directory::partner(address), |known| known
        .directory
        .partner(ACCOUNT, address))
}

/// Returns true if the relay knows every address of the account, as it does for accounts of its
/// directory. Of an account in the configuration it knows the domains that receive, but not the
/// addresses that send.
///
/// In a native test, returns true if the test has given any `destinations`.
///
/// ```
/// let _given = gatepost_sdk::native::Given::default().give();
/// assert!(!gatepost_sdk::knows_addresses());
/// ```
pub fn knows_addresses() -> bool {
    look_up!(directory::knows_addresses(), |known| known
        .directory
        .knows_addresses(ACCOUNT))
}

/// Returns the product's name, as the account's users know it; `None` for an account in the
/// configuration.
///
/// In a native test, returns the `product` that the test has given.
///
/// ```
/// use gatepost_sdk::{native, product};
///
/// let mut given = native::Given::default();
/// given.directory.product = Some("Acme Desk".to_owned());
/// let _given = given.give();
/// assert_eq!(product().as_deref(), Some("Acme Desk"));
/// ```
pub fn product() -> Option<String> {
    look_up!(directory::product(), |known| known
        .directory
        .product(ACCOUNT))
}

/// Returns the credential that the client has proved; `None` if it has not authenticated.
///
/// In a native test, returns the `user` and the `credential` that the test has given.
///
/// ```
/// // Nobody has logged in here.
/// assert_eq!(gatepost_sdk::credential(), None);
/// ```
pub fn credential() -> Option<Credential> {
    look_up!(directory::credential(), |known| {
        let user = known.user.clone()?;
        let scope = known.directory.credential(&user)?;
        Some(Credential { user, scope })
    })
}

/// Record of an address that has shown itself to be a machine's.
///
/// ```
/// use gatepost_sdk::directory::machine;
///
/// /// Why no machine should write to them, if so.
/// fn against(address: &str) -> Option<String> {
///     machine(address).map(|known| format!("a machine's, by {}", known.evidence))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Evidence, in one sentence.
    pub evidence: String,
    /// Time of the first evidence, in milliseconds since 1970 (UTC).
    pub since: u64,
    /// Time of expiry, in milliseconds since 1970 (UTC).
    pub until: u64,
}

/// Returns what the account knows of a machine at this address, as it stood before this message;
/// `None` if it knows none. Addresses are compared in canonical form.
///
/// In a native test, returns one of the `machines` that the test has given.
///
/// ```
/// use std::collections::HashMap;
///
/// use gatepost_sdk::directory::{Machine, machine};
/// use gatepost_sdk::native::Given;
///
/// let known = Machine { evidence: "it sends what cron wrote".into(), since: 0, until: 1 };
/// let machines = HashMap::from([("build@ci.example".to_owned(), known.clone())]);
/// let _given = Given { machines, ..Given::default() }.give();
/// assert_eq!(machine("Build+42@ci.example"), Some(known));
/// assert_eq!(machine("ann@shop.example"), None);
/// ```
pub fn machine(address: &str) -> Option<Machine> {
    look_up!(directory::machine(address), |known| known
        .machines
        .get(&canonical_form(address))
        .cloned())
}

/// Returns the canonical form of an address, the same for all its spellings: without case, Unicode
/// composition, needless quotes, sub-address, and the wrapping that forwarders and senders add for
/// bounces (SRS, BATV). A text that is no address comes back in lower case.
///
/// ```
/// use gatepost_sdk::canonical;
///
/// assert_eq!(canonical("Ann+orders@Shop.example"), "ann@shop.example");
/// assert_eq!(canonical("prvs=1234abcdef=ann@shop.example"), "ann@shop.example");
/// ```
pub fn canonical(address: &str) -> String {
    if let Some(plain) = canonical_if_plain(address) {
        return plain;
    }
    look_up!(directory::canonical(address), |_| canonical_form(address))
}

/// Returns the canonical form of a plain address, of letters, digits and little else, in which only
/// case and a sub-address can differ. Asking the host would cost more.
fn canonical_if_plain(address: &str) -> Option<String> {
    let (local, domain) = address.split_once('@')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let atoms = |text: &str, other: &[u8]| {
        let mut atoms = text.split('.');
        atoms.all(|atom| !atom.is_empty() && atom.bytes().all(|b| plain(b) || other.contains(&b)))
    };
    let labels = domain
        .split('.')
        .all(|label| !(label.starts_with('-') || label.ends_with('-') || label.contains("--")));
    let usual = atoms(local, b"+") && atoms(domain, b"") && !domain.contains('_') && labels;
    // An address wrapped for bounces (SRS, BATV) may have no other characters either.
    let lower = local.to_ascii_lowercase();
    let wrapped = lower.starts_with("srs") || lower.contains("+srs") || lower.contains("+caf_");
    if !usual || wrapped || local.starts_with('+') || address.len() > 254 || local.len() > 64 {
        return None;
    }
    let name = lower.split('+').next()?;
    Some(format!("{name}@{}", domain.to_ascii_lowercase()))
}

by_number! {
    DomainKind { Native, TwoWay, OutboundOnly, Forwarded, Other }
    DomainState { Claimed, Verified, Disconnected, Other }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Asserts that the short way gives the same form as the relay.
        #[test]
        fn plain_addresses_have_the_relays_canonical_form(
            local in "[A-Za-z0-9+._-]{1,12}",
            wrap in prop_oneof![Just(""), Just("SRS0="), Just("prvs=1234abcdef="), Just("a+caf_=")],
            domain in "[A-Za-z0-9.-]{1,16}",
        ) {
            let address = format!("{wrap}{local}@{domain}");
            if let Some(plain) = canonical_if_plain(&address) {
                prop_assert_eq!(plain, canonical_form(&address));
            }
        }
    }

    #[test]
    fn most_addresses_are_plain() {
        for address in ["ann@a.example", "Ann.O-Neil+x@mail.A1.example"] {
            assert!(canonical_if_plain(address).is_some(), "{address}");
        }
    }
}
