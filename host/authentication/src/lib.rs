//! What can be proved about where a message came from.
//!
//! A message that arrives says whose it is; nobody has to believe it. This crate gathers, once per
//! message and before any policy is asked, what its client, its envelope, its signatures and the
//! DNS prove together: [`Facts`]. It decides nothing: whether a failure means a refusal is a
//! policy's business.
//!
//! The session and `gatepost check` call [`gather()`]. What it found is told to those who come after
//! by a [`Stamp`], the body of an Authentication-Results field, once fields are gone that
//! [claim to be ours](claims_authserv_id); and [`trusted_results`] tells what may be believed of
//! what others sealed.
//!
//! Every look-up goes through [`Dns`]: the relay's resolver in front of the world's name servers,
//! or a zone that a test has written down. A look-up that cannot be answered is
//! [`Unavailable`], and becomes `temperror` in the result that needed it; it is never mistaken for
//! "there is no such record".

mod arc;
mod author;
mod budget;
mod dkim;
mod dmarc;
mod dns;
mod facts;
mod gather;
pub mod iprev;
mod rejection;
mod resolver;
mod results;
mod settings;
pub mod spf;
mod summary;
mod tags;

pub use arc::trusted_results;
pub use author::{Author, FromClarity, FromFact, bodies_shown_as, from_bodies};
pub use dmarc::organizational_domain_by_list;
pub use dns::{Dns, Found, Unavailable};
pub use facts::{
    ArcDkim, ArcFact, ArcSet, Authentication, DkimFact, DmarcAlignment, DmarcFact, DmarcPolicy,
    Facts, IprevFact, SpfFact, SpfFacts,
};
pub use gather::{Arrival, gather, gather_repaired};
pub use resolver::{InvalidServer, NameServer, NoResolver, Resolver, ResolverSettings};
pub use results::{Stamp, claims_authserv_id};
pub use settings::{Boundary, Limits, PartialBody, Settings};
pub use summary::{
    ArcSummary, DkimSummary, DmarcSummary, IprevSummary, Sasl, SpfResult, SpfSummary, Summary,
};
