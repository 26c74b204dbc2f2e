//! Accounts of a site, the domains and support addresses at which they receive, and the credentials
//! with which clients hand in mail for them.
//!
//! All data is stored in one SQLite file, `directory.db`, and is held in memory as well, as a
//! [`View`]. Sessions read the view: it never blocks and never changes. To see later changes, ask
//! for the [view](Directory::view) again.
//!
//! A change goes one way. A rule, which is a pure function over the view, decides on the
//! [`DirectoryChange`]s or refuses; the [store](DirectoryStore) writes them in one commit; the next
//! view is made by the same changes and published. A lock holds all of that together, so a rule
//! sees what every earlier change has left. Nothing is read again, and a change costs what it
//! changes.
//!
//! - An account ([`Account`]) has a native domain that belongs to it alone, and may connect domains
//!   of its own ([`Connector`]). A domain is *claimed* first: several accounts may claim it, and a
//!   claim has no effect. The first account to have it *verified* owns it. A *disconnected* domain
//!   still receives.
//! - A [`SupportAddress`] is in the native domain or in a connected one, and receives for one
//!   account. Addresses are compared in their [canonical](Canonical) form. One in a connected domain
//!   has a forwarding target of its own in the native domain ([`ForwardingToken`]).
//! - A [`Credential`] allows either relay from one two-way domain or submission by one account,
//!   never both ([`Scope`]). The relay makes its [`Secret`], shows it once and stores only its
//!   [`Verifier`], encrypted with a key of the [key ring](Settings::key_ring). One that is retired
//!   or removed, or whose domain is disconnected, has a grace period ([`Standing`]).
//! - A [`Handover`] has the secret of a credential for whoever opens its link first. The store cannot
//!   decrypt it: the key is made of the token in the link ([`HandoverToken`]).
//! - A connection ([`OwnedConnection`]) is a customer's own way out, encrypted whole. It may serve
//!   an address, a brand or a domain of its account.
//! - An endpoint ([`AccountEndpoint`]) is a URL that gets the inbound mail of its account, of a brand
//!   or of a support address. It is encrypted whole, too.
//! - A [`DkimKey`] signs mail of a domain that an account has connected, or of the site's own. It
//!   signs while its record is in the DNS, and never before.
//! - Partners ([`Partner`]) are addresses with which an account shares tickets. They come from a
//!   sharing agreement with another account here ([`Agreement`]) or from a [`PartnerList`].
//! - A [`Restriction`] has the caps on what an account submits, and its suspension. It may be of an
//!   account of the configuration, too.
//! - A domain's DNS proves that the domain is an account's by a token made with the key ring
//!   ([`View::ownership_tokens`]).
//! - Outgoing mail carries an email id made with the key ring ([`View::email_id`]), by which the
//!   relay recognises its own mail when it comes back.
//!
//! A change that is not allowed is answered with a [`Refusal`], which says why and what to do.

#![forbid(unsafe_code)]

mod account;
mod address;
mod administrator;
mod api_token;
mod audit;
mod change;
mod connection;
mod connector;
mod credential;
mod directory;
mod dkim_key;
mod email_id;
mod endpoint;
mod erasure;
mod error;
mod expectation;
mod handover;
mod handover_token;
mod id;
mod kept_request;
mod key_ring;
mod memory;
mod outbound;
mod ownership_token;
mod partner;
mod probe;
mod random;
mod restriction;
mod return_token;
mod rows;
mod rules;
mod sandbox;
mod schema;
mod secret;
mod shared;
mod sqlite;
mod staging;
mod state;
mod store;
mod uses;
mod verification;
mod view;
mod word;

pub use account::{
    Account, AccountDetails, AccountKind, Hold, KeepMail, KeepMailError, Name, NameError,
    PolicySettings, Profile, ProfileChange, TimeZone, TimeZoneError,
};
pub use address::{AddressDetails, Canonical, ForwardingToken, SupportAddress};
pub use administrator::{
    Administrator, CODE_LIFE, CODE_PAUSE, CodeOutcome, MAX_ADMINISTRATORS, MOST_WRONG_CODES,
    SentCode,
};
pub use api_token::{ApiScope, ApiToken, PresentedToken, StoredApiToken};
pub use audit::{AuditEntry, AuditQuery, AuditRecord};
pub use change::{DirectoryChange, DirectoryRow, RowKey, Sealed, SealedCredential};
pub use connection::{OwnedConnection, SealedConnection};
pub use connector::{
    Claim, Connector, ConnectorDetails, ConnectorKind, ConnectorState, Disconnection,
    ForwarderMark, Forwarders, Protocol, QueuedMail,
};
pub use credential::{
    Credential, CredentialDetails, CredentialEnd, EndedBy, GraceUses, Grant, Issued, Known,
    Rotation, Scope, UserName,
};
pub use directory::{Directory, Fetched, Limits, Reserved, Settings};
pub use dkim_key::{DkimKey, DkimKeyName, DkimState, KeyOwner, SealedDkimKey};
pub use endpoint::{
    AccountEndpoint, EndpointName, EndpointNameError, EndpointScope, EndpointScopeError,
    EndpointSettings, MAX_ENDPOINTS, SealedEndpoint, new_signing_secret,
};
pub use erasure::{ERASED_BY, ErasedItems};
pub use error::{DirectoryError, Refusal};
pub use gatepost_sasl::Verifier;
pub use handover::{HandedOver, Handover};
pub use handover_token::HandoverToken;
pub use id::{AccountId, ConnectorId, IdError};
pub use kept_request::{KeptRequest, KnownRequest};
pub use memory::MemoryStore;
pub use outbound::{DefaultReason, LeavesFromDefault, OutboundWay};
pub use partner::{
    Agreement, Feed, ListChange, Partner, PartnerEntry, PartnerEntryError, PartnerList,
    PartnerSource, beginning,
};
pub use probe::{Probe, ProbeId, ProbeIdError, ProbeKind};
pub use restriction::{Reason, ReasonError, Restriction, Suspension};
pub use sandbox::{MAX_TEST_USERS, SandboxReach, SandboxSettings};
pub use secret::Secret;
pub use sqlite::SqliteStore;
pub use staging::ImportId;
pub use state::inspect;
pub use store::{DirectoryStore, Rows};
pub use verification::{CheckResults, LastCheck, Verification};
pub use view::{Destination, Recipient, Standing, View};
pub use word::WordError;
