//! Mail by MX: which servers take the mail of a domain, in which order, and how well TLS has to
//! prove them.
//!
//! [`Mx::route`] answers for one domain or address literal: a [`MxRoute`] of [`Candidate`]s, best
//! first, or [`NoRoute`] with the reply for the sender. The rules for MX records are pure functions
//! (`exchanges`). Addresses come from the relay's resolver, and only those that its guard permits.
//!
//! A domain may demand TLS by a policy ([`MtaSts`]). A route then has only servers that the policy
//! allows, each with the demand and its reason ([`SessionTls`]).
//!
//! Callers that ask about one domain at the same time share one look-up (`flights`), and domains
//! whose servers do not answer wait under a limit of their own (`limits`).

#![forbid(unsafe_code)]

mod exchanges;
mod flights;
mod limits;
mod look_up;
mod mta_sts;
mod no_route;
mod own;
mod route;
mod target;

pub use look_up::{Mx, Settings};
pub use mta_sts::{
    Clock, FetchError, HostPattern, KnownPolicy, Mode, MtaSts, MtaStsSettings, NoId,
    PoliciesInMemory, PolicyCache, PolicyCacheError, PolicyError, PolicyFetcher, PolicyFile,
    PolicyId, StsPolicy, published as published_policy,
};
pub use no_route::NoRoute;
pub use own::Own;
pub use route::{Candidate, MxRoute, Required, SessionTls};
