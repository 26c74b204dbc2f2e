//! What the relay knows of the transaction's account and of the client's credential.
//!
//! As with [`authentication`](crate::authentication()), a policy imports the directory by calling
//! one of these functions. Nothing is told of another account; where the account is not fixed yet
//! (in the connect hook), nothing is known.
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

/// How mail comes to a domain.
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
    /// The site has given it to the account; mail for it comes straight here.
    Native,
    /// The customer's own server relays its mail to us, with credentials of the domain.
    TwoWay,
    /// What comes in at the customer's own server is forwarded to us, without credentials.
    OutboundOnly,
}

/// How far a domain is the account's.
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
    /// The account says so; nothing follows from it.
    Claimed,
    /// It is.
    Verified,
    /// It was. It goes on receiving, and nothing vouches for its mail.
    Disconnected,
}

/// Who is known to forward the mail of a domain to us.
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
    /// In CIDR form, such as `192.0.2.0/24`.
    pub networks: Vec<String>,
    /// Domains with which they sign (DKIM), or to which they rewrite the reverse-path, in lower-case
    /// A-labels.
    pub dkim_domains: Vec<String>,
    /// Domains with which they seal (ARC), in lower-case A-labels.
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
    /// In lower-case A-labels.
    pub domain: String,
    /// How mail comes to it.
    pub kind: DomainKind,
    /// How far it is the account's.
    pub state: DomainState,
    /// Who is known to forward its mail to us.
    pub forwarders: Forwarders,
}

/// One with whom the account shares its tickets.
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
    /// Whether its whole domain is a partner's, and not the address itself.
    pub by_domain: bool,
    /// By what it is one.
    pub source: PartnerSource,
}

/// By what an address is a partner's.
///
/// ```
/// use gatepost_sdk::directory::PartnerSource;
///
/// let source = PartnerSource::Import("crm".into());
/// assert_eq!(source.to_string(), "the import crm");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartnerSource {
    /// It is a support address of this account, with which there is a sharing agreement.
    Agreement(String),
    /// Somebody has added it.
    ByHand,
    /// It was imported, under this name.
    Import(String),
    /// It is in the feed with this URL.
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

/// What a credential is good for.
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

/// A credential that the client has proved.
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
    /// The user name.
    pub user: String,
    /// What it is good for.
    pub scope: CredentialScope,
}

/// The domain at which the account receives mail for this address; `None` where the address is
/// somebody else's.
///
/// Natively it is what a test has [given](crate::native::Given::destinations).
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

/// Whether the account receives mail at this address, sub-addresses (RFC 5233) included.
///
/// Natively it is so of the addresses that have a [destination].
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

/// The partner that an address is of, in whatever spelling: case, quotes, sub-address and what a
/// forwarder wraps around it do not count. `None` where it is none, and for every address at which
/// the account itself receives.
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
/// Natively it is what a test has [given](crate::native::Given::partners).
pub fn partner(address: &str) -> Option<Partner> {
    #[cfg(target_arch = "wasm32")]
    return crate::glue::partner(address);
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.partner(address))
}

/// Whether the relay knows every address of the account: so it is with those of its directory. Of
/// an account that the configuration gives it knows at which domains it receives, and not from which
/// addresses it may send.
///
/// Natively it is so where a test has [given](crate::native::Given::destinations) any.
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

/// The product's name, as the account's users know it; `None` of an account that the configuration
/// gives.
///
/// Natively it is what a test has [given](crate::native::Given::product).
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

/// The credential that the client has proved; `None` where it has not authenticated.
///
/// Natively it is what a test has [given](crate::native::Given::credential).
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

/// What is known of an address that has shown itself to be a machine's.
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
    /// How it has shown it, in one sentence.
    pub evidence: String,
    /// Since when that is known, in milliseconds since 1970 (UTC).
    pub since: u64,
    /// Until when it is held to be so, in milliseconds since 1970 (UTC).
    pub until: u64,
}

/// Whether the account knows that a machine writes from this address, as it stood before this
/// message. Addresses are compared in canonical form.
///
/// Natively it is what a test has [given](crate::native::Given::machines).
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

/// The one form that all spellings of an address have: case, Unicode composition, needless quotes
/// and the sub-address are taken away, and what forwarders and senders wrap around an address for
/// bounces (SRS, BATV). What is no address comes back in lower case.
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

/// The canonical form of most addresses: letters, digits and little else, in which nothing but
/// case and a sub-address can differ. To ask the host would cost more.
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
    // What is wrapped for bounces may have no other character either.
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
        /// The short way leads where the long one does.
        #[test]
        fn plain_addresses_have_the_form_that_the_relay_gives_them(
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
