//! Look-ups in the directory: the transaction's account and the client's credential.
//!
//! As with [`authentication`](crate::authentication()), a policy imports the directory by calling
//! one of these functions. They tell nothing of other accounts, and nothing at all before the
//! account is fixed (in the connect hook).
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
//!     match destination(recipient) {
//!         Some(of) if of.domain == domain => Verdict::Pass,
//!         _ => Verdict::reject(550, "5.7.1", "your credentials are for another domain"),
//!     }
//! }
//! # }
//!
//! let _given = native::Given {
//!     credential: Some(Credential {
//!         user: "relay".into(),
//!         scope: CredentialScope::Inbound("customer.example".into()),
//!     }),
//!     ..native::Given::default()
//! }
//! .give();
//! assert_eq!(destination("help@customer.example"), None);
//! ```

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DomainKind {
    /// Given to the account by the site; mail for it comes straight here.
    Native,
    /// Connected both ways: the customer's own server relays its mail to us, with credentials of
    /// the domain.
    TwoWay,
    /// Connected outbound only: the customer's own server forwards incoming mail to us, without
    /// credentials.
    OutboundOnly,
}

/// State of an account's claim to a domain.
///
/// ```
/// use gatepost_sdk::{DomainState, ReceivingDomain};
///
/// fn is_vouched_for(domain: &ReceivingDomain) -> bool {
///     domain.state == DomainState::Verified
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DomainState {
    /// Claimed by the account; nothing follows from it.
    Claimed,
    /// Proved to be the account's.
    Verified,
    /// No longer the account's. The domain goes on receiving, and nothing vouches for its mail.
    Disconnected,
}

/// Servers known to forward a domain's mail to us.
///
/// ```
/// use gatepost_sdk::Forwarders;
///
/// fn is_forwarded(forwarders: &Forwarders) -> bool {
///     *forwarders != Forwarders::default()
/// }
/// assert!(!is_forwarded(&Forwarders::default()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forwarders {
    /// Networks in CIDR form, such as `192.0.2.0/24`.
    pub networks: Vec<String>,
    /// Domains that they sign with (DKIM), or rewrite the reverse-path to, in lower-case A-labels.
    pub dkim_domains: Vec<String>,
    /// Domains that they seal with (ARC), in lower-case A-labels.
    pub arc_sealers: Vec<String>,
}

/// A domain at which the account receives.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// Whether mail for this address may come past the customer's server.
/// fn may_come_directly(recipient: &str) -> bool {
///     destination(recipient).is_some_and(|domain| domain.kind == DomainKind::Native)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivingDomain {
    /// Name in lower-case A-labels.
    pub domain: String,
    /// Way in which mail comes to it.
    pub kind: DomainKind,
    /// State of the account's claim to it.
    pub state: DomainState,
    /// Servers known to forward its mail to us.
    pub forwarders: Forwarders,
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
/// let source = PartnerSource::Import("crm".into());
/// assert_eq!(source.to_string(), "the import crm");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartnerSource {
    /// Sharing agreement with this account, of which it is a support address.
    Agreement(String),
    /// Entry made by hand.
    ByHand,
    /// Import under this name.
    Import(String),
    /// Feed with this URL.
    Feed(String),
}

impl std::fmt::Display for PartnerSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agreement(account) => write!(f, "the sharing agreement with account {account}"),
            Self::ByHand => f.write_str("an entry by hand"),
            Self::Import(name) => write!(f, "the import {name}"),
            Self::Feed(url) => write!(f, "the feed {url}"),
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CredentialScope {
    /// Relay to the support addresses of this domain, in lower-case A-labels.
    Inbound(String),
    /// Submission for the account.
    Submission,
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

/// Returns the domain at which the account receives mail for this address; `None` if the address is
/// not the account's.
///
/// In a native test, returns what the test has [given](crate::native::Given::destinations).
///
/// ```
/// use gatepost_sdk::*;
///
/// let domain = ReceivingDomain {
///     domain: "customer.example".into(),
///     kind: DomainKind::TwoWay,
///     state: DomainState::Verified,
///     forwarders: Forwarders::default(),
/// };
/// let _giving = native::Given {
///     destinations: [("help@customer.example".to_owned(), domain)].into(),
///     ..native::Given::default()
/// }
/// .give();
/// assert_eq!(destination("help@customer.example").unwrap().kind, DomainKind::TwoWay);
/// assert_eq!(destination("help@other.example"), None);
/// ```
pub fn destination(address: &str) -> Option<ReceivingDomain> {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::destination(address);
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.destinations.get(address).cloned())
}

/// Returns true if the account receives mail at this address, sub-addresses (RFC 5233) included.
///
/// In a native test, returns true for the addresses that have a [destination].
///
/// ```
/// // Nobody has given this test an address.
/// assert!(!gatepost_sdk::is_support_address("help@desk.example"));
/// ```
pub fn is_support_address(address: &str) -> bool {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::is_support_address(address);
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.destinations.contains_key(address))
}

/// Returns the partner that an address belongs to. Case, quotes, sub-address and the wrapping of
/// forwarders do not matter. `None` if it belongs to none, and for every address at which the
/// account itself receives.
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
/// let known = Partner { by_domain: false, source: PartnerSource::ByHand };
/// let _given = native::Given {
///     partners: [("support@other.example".to_owned(), known.clone())].into(),
///     ..native::Given::default()
/// }
/// .give();
/// assert_eq!(partner("Support+42@other.example"), Some(known));
/// assert_eq!(partner("ann@other.example"), None);
/// ```
///
/// In a native test, returns what the test has [given](crate::native::Given::partners).
pub fn partner(address: &str) -> Option<Partner> {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::partner(address);
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.partner(address))
}

/// Returns true if the relay knows every address of the account, as it does for accounts of its
/// directory. Of an account in the configuration it knows the domains that receive, but not the
/// addresses that send.
///
/// In a native test, returns true if the test has [given](crate::native::Given::destinations) any.
///
/// ```
/// let _given = gatepost_sdk::native::Given::default().give();
/// assert!(!gatepost_sdk::knows_addresses());
/// ```
pub fn knows_addresses() -> bool {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::knows_addresses();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| !given.destinations.is_empty())
}

/// Returns the product's name, as the account's users know it; `None` for an account in the
/// configuration.
///
/// In a native test, returns what the test has [given](crate::native::Given::product).
///
/// ```
/// use gatepost_sdk::{native, product};
///
/// let _given = native::Given {
///     product: Some("Acme Desk".to_owned()),
///     ..native::Given::default()
/// }
/// .give();
/// assert_eq!(product().as_deref(), Some("Acme Desk"));
/// ```
pub fn product() -> Option<String> {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::product();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.product.clone())
}

/// Returns the credential that the client has proved; `None` if it has not authenticated.
///
/// In a native test, returns what the test has [given](crate::native::Given::credential).
///
/// ```
/// // Nobody has logged in here.
/// assert_eq!(gatepost_sdk::credential(), None);
/// ```
pub fn credential() -> Option<Credential> {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::credential();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.credential.clone())
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
/// In a native test, returns what the test has [given](crate::native::Given::machines).
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
    #[cfg(target_arch = "wasm32")]
    return crate::glue::machine(address);
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.machines.get(&canonical(address)).cloned())
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
    #[cfg(target_arch = "wasm32")]
    return crate::glue::canonical(address);
    #[cfg(not(target_arch = "wasm32"))]
    in_full(address)
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

#[cfg(not(target_arch = "wasm32"))]
fn in_full(address: &str) -> String {
    use gatepost_message::{Address, CanonicalAddress, Separators};
    Address::parse(address).map_or_else(
        |_| address.to_lowercase(),
        |address| CanonicalAddress::of(&address, &Separators::default()).to_string(),
    )
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
                prop_assert_eq!(plain, in_full(&address));
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
