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
    /// Domains with which they sign (DKIM), in lower-case A-labels.
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
