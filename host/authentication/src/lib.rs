//! Message authentication: the facts about a message's origin (SPF, DKIM, DMARC, ARC, iprev).
//!
//! A message claims an origin that nobody has to believe. This crate gathers [`Facts`] once for
//! each message, before any policy is asked: what its client, its envelope, its signatures and the
//! DNS prove together. It decides nothing: a policy decides if a failure means a refusal.
//!
//! The session and `gatepost check` call [`gather()`]. A [`Stamp`] writes the results as the body
//! of an Authentication-Results field, for the servers downstream; fields of strangers that
//! [claim the relay's authserv-id](claims_authserv_id) are removed first. [`ArcFact::trusted_results`] finds
//! the results that may be believed among those that others sealed.
//!
//! Every look-up goes through `gatepost_dns::Dns`. A look-up without an answer becomes `temperror`
//! in the result that needed it. It is never mistaken for "there is no such record".

mod arc;
mod author;
mod budget;
mod dkim;
mod dmarc;
mod facts;
mod gather;
pub mod iprev;
mod rejection;
mod results;
mod settings;
pub mod spf;
mod summary;
mod tags;

pub use author::{bodies_shown_as, from_bodies};
pub use dmarc::{foresee, foresee_alignment, organizational_domain_by_list};
pub use facts::{
    ArcDkim, ArcFact, ArcSet, Authentication, Author, DkimFact, DmarcAlignment, DmarcFact,
    DmarcPolicy, Facts, FromClarity, FromFact, IprevFact, SpfFact, SpfFacts,
};
pub use gather::{Arrival, gather, gather_repaired};
pub use results::{Stamp, claims_authserv_id};
pub use settings::{Boundary, Limits, PartialBody, Settings};
pub use summary::{
    ArcSummary, DkimSummary, DmarcSummary, IprevSummary, Sasl, SpfResult, SpfSummary, Summary,
};
