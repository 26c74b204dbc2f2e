//! The accounts of a site, the domains and support addresses at which they receive, and the
//! credentials with which mail is handed to us for them.
//!
//! Everything is in one SQLite file, `directory.db`, and all of it is in memory too: a
//! [`Directory`] changes the file and then puts a new [`View`] in the place of the one before. A
//! session asks the [`View`], which never waits and never changes under its reader; one who wants
//! to know whether something still holds asks for the [view](Directory::view) again.
//!
//! - An account ([`Account`]) has a native domain, which is its alone, and may connect domains of
//!   its own ([`Connector`]). A domain is first *claimed*, which several accounts may do and from
//!   which nothing follows; the first to have it *verified* has it. *Disconnected*, it goes on
//!   receiving.
//! - A [`SupportAddress`] is in the native domain or in a connected one, and receives for one
//!   account. Addresses are compared in their [canonical](Canonical) form.
//! - A [`Credential`] is good for relay from one two-way domain or for submission by one account,
//!   never for both ([`Scope`]). Its [`Secret`] is ours to make, is shown once, and only its
//!   [`Verifier`] is kept, encrypted with a key of the [key ring](Settings::key_ring).
//! - Partner addresses ([`Partner`]) are whom an account shares its tickets with. They follow from a
//!   sharing agreement with another account here ([`Agreement`]), or stand in a [`PartnerList`].
//! - What we send carries an id made with the key ring ([`View::email_id`]), by which a message that
//!   comes back is known to be ours.
//!
//! What may not be is a [`Refusal`], which says why and what to do.

#![forbid(unsafe_code)]

mod account;
mod address;
mod change;
mod connector;
mod credential;
mod directory;
mod email_id;
mod error;
mod id;
mod key_ring;
mod partner;
mod partner_change;
mod partner_index;
mod partner_view;
mod random;
mod rows;
mod schema;
mod secret;
mod state;
mod uses;
mod view;
mod word;

pub use account::{
    Account, AccountKind, Name, NameError, PolicySettings, Profile, TimeZone, TimeZoneError,
};
pub use address::{Canonical, SupportAddress};
pub use connector::{Claim, Connector, ConnectorKind, ConnectorState, Forwarders, Protocol};
pub use credential::{Credential, Grant, Issued, Known, Scope, UserName};
pub use directory::{Directory, Limits, Reserved, Settings};
pub use error::{DirectoryError, Refusal};
pub use gatepost_sasl::Verifier;
pub use id::{AccountId, ConnectorId, IdError};
pub use partner::{
    Agreement, Feed, ListChange, Partner, PartnerEntry, PartnerEntryError, PartnerList,
    PartnerSource,
};
pub use partner_change::{Fetched, ImportId};
pub use secret::Secret;
pub use state::inspect;
pub use view::{Destination, Recipient, View};
pub use word::WordError;
