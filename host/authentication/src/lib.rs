//! What can be proved about where a message came from.
//!
//! A message that arrives says whose it is; nobody has to believe it. This crate gathers, once per
//! message and before any policy is asked, what its client, its envelope, its signatures and the
//! DNS prove together: [`Facts`]. It decides nothing: whether a failure means a refusal is a
//! policy's business.
//!
//! Every look-up goes through [`Dns`]: the relay's resolver in front of the world's name servers,
//! or a zone that a test has written down. A look-up that cannot be answered is
//! [`Unavailable`], and becomes `temperror` in the result that needed it; it is never mistaken for
//! "there is no such record".

mod dns;
mod facts;
pub mod iprev;
mod resolver;
pub mod spf;

pub use dns::{Dns, Found, Unavailable};
pub use facts::{
    ArcFact, ArcSet, Authentication, DkimFact, DmarcAlignment, DmarcFact, DmarcPolicy, Facts,
    IprevFact, SpfFact, SpfFacts,
};
pub use resolver::{InvalidServer, NameServer, NoResolver, Resolver, ResolverSettings};
